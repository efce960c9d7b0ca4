import { afterEach, expect, test } from "bun:test";
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { dialPort, type Wire } from "../../src/guest/dial.ts";
import { runOk } from "../../src/lib/run.ts";
import { waitFor } from "../../src/lib/wait.ts";

// A pseudo-terminal's slave end is a character device, as a virtio port is: it says "again" when there is nothing
// to read. A pipe stands for the host that leaves: its end of file.
const folder = mkdtempSync("/tmp/qvd-port-");
const wires: Wire[] = [];
afterEach(() => {
  for (const wire of wires.splice(0)) wire.terminate();
  rmSync(folder, { recursive: true, force: true });
});

async function makePipe(name: string): Promise<string> {
  const path = `${folder}/${name}`;
  await runOk("making a pipe", ["/usr/bin/mkdir", "-p", folder]);
  await runOk("making a pipe", ["/usr/bin/mkfifo", path]);
  return path;
}

function dial(path: string) {
  const heard = { text: "", ends: 0, isOpen: false, drains: 0 };
  dialPort(
    path,
    5,
  )({
    open: (wire) => {
      wires.push(wire);
      heard.isOpen = true;
    },
    data: (chunk) => {
      heard.text += Buffer.from(chunk).toString();
    },
    drain: () => {
      heard.drains += 1;
    },
    end: () => {
      heard.ends += 1;
    },
  });
  return heard;
}

test("a port that isn't there is an end, which the caller tries again", async () => {
  const heard = dial(`${folder}/nothing`);
  expect(await waitFor(() => heard.ends > 0, { timeoutMs: 10_000 })).toBe(true);
  expect(heard.isOpen).toBe(false);
});

test("what comes is heard, and nothing to hear is no end", async () => {
  const path = await makePipe("heard");
  const heard = dial(path);
  const host = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  writeSync(host, "one\ntwo");
  expect(await waitFor(() => heard.text === "one\ntwo", { timeoutMs: 10_000 })).toBe(true);
  expect(heard.ends).toBe(0);
  closeSync(host);
});

test("a host that does not read never blocks, and is told of when it reads again", async () => {
  const path = await makePipe("full");
  const heard = dial(path);
  const [wire] = wires;
  const chunk = new Uint8Array(32 * 1024).fill(120);
  let taken = 0;
  for (let last = 1; last > 0; taken += last) last = wire?.write(chunk) ?? 0;
  expect(taken).toBeGreaterThan(0);
  // A pipe gives back to its writer what it wrote; the port does not, but the room is the same.
  expect(await waitFor(() => heard.text.length === taken, { timeoutMs: 10_000 })).toBe(true);
  expect(await waitFor(() => heard.drains > 0, { timeoutMs: 10_000 })).toBe(true);
});

test("an ended wire is silent", async () => {
  const path = await makePipe("ended");
  const heard = dial(path);
  wires[0]?.terminate();
  const host = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  writeSync(host, "late");
  await Bun.sleep(30);
  const buffer = new Uint8Array(16);
  expect(readSync(host, buffer)).toBe(4);
  closeSync(host);
  expect(heard.text).toBe("");
});
