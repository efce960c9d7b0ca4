/** The demo's box: whether it runs, its start and its end. */

import {
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { connect } from "node:net";
import { dirname } from "node:path";
import { BoxStatus } from "../../../src/cli/box/status-file.ts";
import { isProcessRunning } from "../../../src/lib/process.ts";
import { runOk } from "../../../src/lib/run.ts";
import { waitFor } from "../../../src/lib/wait.ts";
import { type Place, ROOT } from "./place.ts";
import { tryQvd } from "./qvd.ts";
import { say } from "./say.ts";

const START_MS = 150_000;

export function readBox(place: Place): BoxStatus | undefined {
  if (!existsSync(place.statusFile)) return undefined;
  const parsed = BoxStatus.safeParse(JSON.parse(readFileSync(place.statusFile, "utf8")));
  return parsed.success ? parsed.data : undefined;
}

export function isBoxRunning(place: Place): boolean {
  const box = readBox(place)?.box;
  return box !== undefined && box !== null && isProcessRunning(box);
}

/** Puts the built executable where the box runs it; true when it differs from what was there. */
export async function installExecutable(place: Place): Promise<boolean> {
  const built = `${ROOT}/dist/qvd`;
  linkRecipes(place);
  const same = existsSync(place.executable) && (await hash(built)) === (await hash(place.executable));
  if (same) return false;
  mkdirSync(dirname(place.executable), { recursive: true });
  copyFileSync(built, `${place.executable}.new`);
  // Renamed: what runs keeps the file that it was started from.
  renameSync(`${place.executable}.new`, place.executable);
  return true;
}

/** Where an installed `qvd image build` looks for the recipes that come with QVD. */
function linkRecipes({ state }: Place): void {
  const link = `${state}/share/qvd/images`;
  mkdirSync(dirname(link), { recursive: true });
  rmSync(link, { force: true });
  symlinkSync(`${ROOT}/appliance/images`, link);
}

/** Starts the box in a session of its own, so that a terminal's Ctrl-C is ours to pass on; resolves when it is ready. */
export async function startBox(place: Place): Promise<{ readonly exited: Promise<number> }> {
  await refuseTakenPorts(place);
  mkdirSync(dirname(place.log), { recursive: true });
  const log = openSync(place.log, "a", 0o640);
  const child = Bun.spawn([place.executable, "box", "run"], {
    env: { ...place.env },
    cwd: "/",
    stdio: ["ignore", log, log],
    detached: true,
  });
  child.unref();
  let told = "";
  const outcome = await waitFor(
    () => {
      if (child.exitCode !== null) return "ended";
      const status = readBox(place);
      if (status?.box?.pid !== child.pid) return undefined;
      if (status.text !== told && status.state === "starting") say(`starting the ${status.text}`);
      told = status.text;
      return status.state === "ready" && "ready";
    },
    { timeoutMs: START_MS, everyMs: 50 },
  );
  if (outcome === "ready") return { exited: child.exited };
  child.kill("SIGTERM");
  const lastLines = readFileSync(place.log, "utf8").trim().split("\n").slice(-6).join("\n");
  throw new Error(`the box did not start; its last words, from ${place.log}:\n${lastLines}`);
}

export async function stopBox(place: Place): Promise<void> {
  if (!existsSync(place.executable)) return;
  const { exitCode, stderr } = await tryQvd(place, ["box", "stop"], { timeoutMs: 200_000 });
  process.stderr.write(stderr);
  if (exitCode !== 0) throw new Error("the demo could not be stopped; the lines above say why");
}

async function refuseTakenPorts({ brokerPort, adminPort }: Place): Promise<void> {
  for (const port of [brokerPort, adminPort]) {
    if (await isTaken(port))
      throw new Error(`port ${port} is taken by another program; end it, and run this again`);
  }
}

function isTaken(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "localhost", port });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

async function hash(path: string): Promise<string> {
  return (await runOk(`compare ${path}`, ["sha256sum", path])).split(" ")[0] ?? "";
}
