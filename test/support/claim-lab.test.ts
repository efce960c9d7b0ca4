import { afterEach, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { readProcessIdentity } from "../../src/lib/process.ts";
import { claimLab, releaseLab } from "./claim-lab.ts";

const NAME = "clmtest";
const FILE = `/var/tmp/qvd-${NAME}.owner`;

afterEach(() => releaseLab(NAME));

test("a lab that another process has is waited for, and not taken while that lives", async () => {
  const other = Bun.spawn(["sleep", "60"]);
  writeFileSync(FILE, JSON.stringify(readProcessIdentity(other.pid)));
  await expect(claimLab(NAME, 50)).rejects.toThrow("another run has the lab clmtest");
  other.kill("SIGKILL");
  await other.exited;
  await claimLab(NAME, 5_000);
});

test("a process may claim its lab again", async () => {
  await claimLab(NAME, 50);
  await claimLab(NAME, 50);
  expect(await Bun.file(FILE).json()).toMatchObject({ pid: process.pid });
});
