/**
 * An X server of the session's own: a window on the user's screen that the desktop draws into (Xephyr). X has no
 * walls between its clients; on the user's real display a hostile desktop could read the keys and the pictures of
 * every other window.
 */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { AppError } from "../lib/errors.ts";
import { run } from "../lib/run.ts";
import { waitFor } from "../lib/wait.ts";
import { startPlainManager } from "./plain-manager.ts";

export type OwnDisplay = {
  /** For programs that show themselves on it: DISPLAY and XAUTHORITY. */
  readonly env: Readonly<Record<string, string>>;
  /** Resolves when its window was closed. */
  readonly closed: Promise<void>;
  readonly close: () => Promise<void>;
};

export type OwnDisplayOptions = {
  /** Where its window is shown: the user's DISPLAY and what goes with it. */
  readonly env: Readonly<Record<string, string>>;
  /** As WIDTHxHEIGHT in pixels. */
  readonly geometry: string;
  readonly title: string;
};

const START_MS = 10_000;

export async function openOwnDisplay(options: OwnDisplayOptions): Promise<OwnDisplay> {
  const { env, geometry, title } = options;
  const folder = mkdtempSync(join(tmpdir(), "qvd-x-"));
  const [numberFile, keyFile, said] = [join(folder, "display"), join(folder, "key"), join(folder, "said")];
  const ownKeyFile = join(folder, "own-key");
  const cookie = crypto.getRandomValues(new Uint8Array(16));
  // The server takes the key whatever display it is said to be for; clients look for theirs.
  writeFileSync(keyFile, authorityFile(cookie, "0"), { mode: 0o600 });
  const server = spawnServer(
    [...["Xephyr", "-displayfd", "3", "-auth", keyFile, "-screen", geometry, "-title", title], ...STRICT],
    { env, numberFile, said },
  );
  const close = async () => {
    server.kill("SIGTERM");
    const killer = setTimeout(() => server.kill("SIGKILL"), 2_000);
    await server.exited;
    clearTimeout(killer);
    rmSync(folder, { recursive: true, force: true });
  };
  const number = await waitFor(
    () => readNumber(numberFile) ?? (server.exitCode === null ? undefined : "none"),
    {
      timeoutMs: START_MS,
      everyMs: 20,
    },
  );
  if (number === undefined || number === "none") {
    const words = readFileSync(said, "utf8").trim().split("\n").at(-1) ?? "";
    await close();
    throw new AppError(
      "driver-failed",
      `opening a window for the desktop on ${env.DISPLAY} failed: ${words}`,
    );
  }
  writeFileSync(ownKeyFile, authorityFile(cookie, number), { mode: 0o600 });
  const inside = { ...env, DISPLAY: `:${number}`, XAUTHORITY: ownKeyFile };
  try {
    await letUserIn(inside);
    // It ends with the display.
    await startPlainManager({ number, cookie });
  } catch (error) {
    await close();
    throw error;
  }
  return {
    env: inside,
    closed: server.exited.then(() => {}),
    close,
  };
}

/**
 * nxproxy hands on the key of whoever draws, and the desktop has none; so the server also takes this user's programs
 * by who they are. Nobody else of the machine comes in.
 */
async function letUserIn(env: Readonly<Record<string, string>>): Promise<void> {
  const doing = ["xhost", `+si:localuser:#${process.getuid?.() ?? 0}`];
  const { exitCode, stderr } = await run(doing, { env });
  // It says what went wrong, and ends with 0 all the same.
  if (exitCode !== 0 || stderr !== "")
    throw new AppError(
      "driver-failed",
      `letting the desktop draw into its window failed: ${stderr.trim().split("\n")[0]}`,
    );
}

/** Nobody comes in by the network, and nobody without the key. */
const STRICT = ["-nolisten", "tcp", "-no-host-grab", "-noreset"] as const;

function spawnServer(
  command: readonly string[],
  at: {
    readonly env: Readonly<Record<string, string>>;
    readonly numberFile: string;
    readonly said: string;
  },
): Bun.Subprocess {
  // The display's number comes by a descriptor of its own; the shell opens it.
  const script = 'exec 3>"$0" 2>"$1"; shift; exec "$@"';
  for (const program of ["Xephyr", "xhost"])
    if (Bun.which(program, { PATH: at.env.PATH ?? "" }) === null)
      throw new AppError(
        "driver-failed",
        `${program} is missing, which keeps the desktop apart from your other windows: install it (Debian: apt install xserver-xephyr x11-xserver-utils)`,
      );
  return Bun.spawn(["sh", "-c", script, at.numberFile, at.said, ...command], {
    env: { ...at.env },
    stdio: ["ignore", "ignore", "ignore"],
  });
}

function readNumber(file: string): string | undefined {
  try {
    return /^(\d+)\n$/.exec(readFileSync(file, "utf8"))?.[1];
  } catch {
    // Not opened yet.
    return undefined;
  }
}

/** 256 is FamilyLocal: a display of this machine, by its host name. */
const FAMILY_LOCAL = Buffer.of(1, 0);

/**
 * An Xauthority file with one MIT-MAGIC-COOKIE-1 (Xau, AuFileName(3)): the family, then address, number, name and
 * data, each after its length in two bytes.
 */
export function authorityFile(cookie: Uint8Array, display: string): Uint8Array {
  const fields = [Buffer.from(hostname()), Buffer.from(display), Buffer.from("MIT-MAGIC-COOKIE-1"), cookie];
  const counted = fields.flatMap((field) => [Buffer.of(field.length >> 8, field.length & 0xff), field]);
  return Buffer.concat([FAMILY_LOCAL, ...counted]);
}
