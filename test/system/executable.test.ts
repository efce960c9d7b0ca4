/** The one executable as others get it: on a root file system with neither Bun nor Node, and in a hostile folder. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { COMMANDS } from "../../src/cli/commands.ts";
import { type RunResult, run, runOk } from "../../src/lib/run.ts";
import { makeTinyRoot } from "../support/tiny-root.ts";

const BUILT = fileURLToPath(new URL("../../dist/qvd", import.meta.url));
const root = mkdtempSync(`${tmpdir()}/qvd-bare-`);

/** Inside the bare root, with nothing but /proc. */
function bare(...words: readonly string[]): Promise<RunResult> {
  const script = 'mount -t proc proc "$0/proc" && exec chroot "$0" /opt/qvd "$@"';
  const namespaces = ["unshare", "--mount", "--pid", "--net", "--fork", "--kill-child"];
  return run([...namespaces, "sh", "-c", script, root, ...words]);
}

beforeAll(async () => {
  if (!existsSync(BUILT))
    await runOk("compile", [process.execPath, "run", "build.ts"], { timeoutMs: 280_000 });
  await makeTinyRoot(root);
  // The C library's parts that only it needs.
  for (const name of ["libm.so.6", "libdl.so.2", "libpthread.so.0"])
    copyFileSync(`/lib/x86_64-linux-gnu/${name}`, `${root}/usr/lib/x86_64-linux-gnu/${name}`);
  mkdirSync(`${root}/opt`, { recursive: true });
  copyFileSync(BUILT, `${root}/opt/qvd`);
}, 300_000);

afterAll(() => rmSync(root, { recursive: true, force: true }));

describe("the executable on a root with neither Bun nor Node", () => {
  test("prints its version", async () => {
    const { exitCode, stdout } = await bare("version");
    expect(stdout).toMatch(/^qvd \d+\.\d+\.\d+/);
    expect(exitCode).toBe(0);
  });

  test("has help for each command, so that every part of it can be loaded", async () => {
    for (const { name, summary } of COMMANDS) {
      const { exitCode, stdout, stderr } = await bare(...name.split(" "), "--help");
      expect(stderr).toBe("");
      expect(stdout).toStartWith(summary);
      expect(exitCode).toBe(0);
    }
  }, 120_000);

  test("is no agent outside a desktop: it would make accounts on a machine", async () => {
    const { exitCode, stderr } = await bare("guest", "run");
    expect(stderr).toContain("inside a desktop only");
    expect(exitCode).toBe(1);
  });

  test("says what is missing where a mode can't run", async () => {
    const { exitCode, stderr } = await bare("db", "run");
    expect(stderr).toContain("apt-get install postgresql");
    expect(exitCode).toBe(1);
  });

  test("can't tell how a node is that it can't see", async () => {
    const { exitCode, stdout } = await bare("node", "status", "--json");
    expect(JSON.parse(stdout)).toMatchObject({ verdict: "unknown" });
    expect(exitCode).toBe(3);
  });
});

describe("the executable in a folder of strangers", () => {
  test("runs neither its bunfig.toml nor reads its .env", async () => {
    const folder = mkdtempSync(`${tmpdir()}/qvd-strange-`);
    writeFileSync(`${folder}/bunfig.toml`, 'preload = ["./evil.ts"]\n');
    writeFileSync(`${folder}/evil.ts`, 'require("node:fs").writeFileSync("evil-ran", "");\n');
    writeFileSync(`${folder}/.env`, "QVD_INSTANCE=evil\n");
    const { stdout } = await run([BUILT, "config", "show", "--json"], { cwd: folder });
    expect(JSON.parse(stdout)[0]).toMatchObject({ name: "QVD_INSTANCE", value: "qvd", source: "default" });
    expect(existsSync(`${folder}/evil-ran`)).toBe(false);
    rmSync(folder, { recursive: true });
  });

  test("hides secrets when it shows the settings", async () => {
    const env = { QVD_DATABASE_URL: "postgres://owner:hunter2@db.example/qvd" };
    for (const words of [
      ["config", "show"],
      ["config", "show", "--json"],
    ]) {
      const { stdout } = await run([BUILT, ...words], { env });
      expect(stdout).toContain("(hidden)");
      expect(stdout).not.toContain("hunter2");
    }
  });

  test("reports all faults of its settings at once", async () => {
    const { exitCode, stderr } = await run([BUILT, "config", "show"], {
      env: { QVD_BROKER_PORT: "x", QVD_INSTANCE: "" },
    });
    expect(stderr).toMatch(/QVD_BROKER_PORT/);
    expect(exitCode).toBe(2);
  });
});
