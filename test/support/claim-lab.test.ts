import { afterEach, expect, test } from "bun:test";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { readProcessIdentity } from "../../src/lib/process.ts";
import { claimLab, releaseLab } from "./claim-lab.ts";

/** Runs of this test beside each other are not what it is about. */
const NAME = `clmtest${process.pid}`;
const FILE = `/var/tmp/qvd-${NAME}.owner`;

afterEach(() => rmSync(FILE, { force: true }));

test("a lab that another process has is waited for, not released nor taken while that lives, and it is named", async () => {
  const other = Bun.spawn(["sleep", "60"], { cwd: "/var" });
  writeFileSync(FILE, JSON.stringify(readProcessIdentity(other.pid)));
  const why = `another run has the lab ${NAME}: process ${other.pid} in /var: sleep 60`;
  await expect(claimLab(NAME, 50)).rejects.toThrow(why);
  releaseLab(NAME);
  expect(existsSync(FILE)).toBe(true);
  other.kill("SIGKILL");
  await other.exited;
  await claimLab(NAME, 5_000);
});

test("a process may claim its lab again", async () => {
  await claimLab(NAME, 50);
  await claimLab(NAME, 50);
  expect(await Bun.file(FILE).json()).toMatchObject({ pid: process.pid });
  releaseLab(NAME);
  expect(existsSync(FILE)).toBe(false);
});

test("of many that come at once when its run has died, one has it", async () => {
  const dead = Bun.spawn(["true"]);
  const left = readProcessIdentity(dead.pid);
  await dead.exited;
  writeFileSync(FILE, JSON.stringify(left ?? { pid: dead.pid, startTicks: 1 }));
  const claim = `import { claimLab } from ${JSON.stringify(`${import.meta.dir}/claim-lab.ts`)};
    await Bun.stdin.text();
    console.log(await claimLab(${JSON.stringify(NAME)}, 10).then(() => "has it", String));
    await Bun.sleep(60_000);`;
  const comers = Array.from({ length: 6 }, () =>
    Bun.spawn([process.execPath, "-e", claim], { stdin: "pipe", stdout: "pipe" }),
  );
  try {
    await Promise.all(comers.map(({ stdin }) => stdin.end()));
    const said = await Promise.all(comers.map(({ stdout }) => firstWords(stdout)));
    expect(said.filter((text) => text.startsWith("has it"))).toHaveLength(1);
  } finally {
    for (const comer of comers) comer.kill("SIGKILL");
  }
}, 120_000);

async function firstWords(stream: ReadableStream<Uint8Array>): Promise<string> {
  const { value } = await stream.getReader().read();
  return new TextDecoder().decode(value);
}
