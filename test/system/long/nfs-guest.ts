/**
 * What runs as the only program of a test's guest: mounts images by the product's own code, writes to them and
 * says of each write when the storage had acknowledged it. One JSON object a line, over a virtio-serial port.
 */

import { closeSync, fsyncSync, openSync, readdirSync, readFileSync, writeSync } from "node:fs";
import { open } from "node:fs/promises";
import { layoutOf } from "../../../src/domain/node/layout.ts";
import { isAppError } from "../../../src/lib/errors.ts";
import { run } from "../../../src/lib/run.ts";
import { sleep } from "../../../src/lib/wait.ts";
import { IdMaps } from "../../../src/storage/id-maps.ts";
import { makeImage } from "../../../src/storage/image-file.ts";
import { openLibc } from "../../../src/storage/libc.ts";
import { mountImage } from "../../../src/storage/mount-image.ts";
import type { GuestRequest } from "../../support/nfs-guests.ts";

const context = {
  layout: layoutOf("/state", "/run"),
  idRangeFirst: 1_000_000,
  reserveBytes: 0,
  boxName: process.argv[2] ?? "guest",
  driver: "overlay",
  lockTimeoutMs: 1_000,
  allocatedMb: 0,
  letGo: () => "written" as const,
  libc: openLibc(),
  idMaps: new IdMaps(),
} as const;

let writing = new AbortController();
let written: Promise<void> = Promise.resolve();

async function answer(request: GuestRequest, say: (event: object) => void): Promise<object> {
  switch (request.do) {
    case "shell":
      return await run(["/bin/sh", "-c", request.script], { timeoutMs: request.timeoutMs });
    case "make":
      await makeImage(request.path, { sizeMb: request.sizeMb, allocatedMb: 0 });
      return {};
    case "mount":
      await mountImage(context, { path: request.path, mountPoint: request.mountPoint, sizeMb: 0 });
      return {};
    case "write":
      writing = new AbortController();
      written = writeFor(request, writing.signal, say);
      return {};
    case "rest":
      writing.abort();
      await written;
      return {};
  }
}

/** Each line is acknowledged only when its fsync has returned; goes on until it is called off or the storage refuses. */
async function writeFor(
  { path, owner }: Extract<GuestRequest, { readonly do: "write" }>,
  signal: AbortSignal,
  say: (event: object) => void,
): Promise<void> {
  const descriptor = openSync(path, "a");
  const careless = openSync(`${path}.unsynced`, "a");
  const page = new Uint8Array(64 * 1_024).fill(owner.charCodeAt(0));
  try {
    for (let count = 1; !signal.aborted; count++) {
      const startedMs = performance.now();
      // Pages that are dirty when the machine is stopped, and wait to be written when it goes on.
      writeSync(careless, page);
      writeSync(descriptor, `${owner} ${count}\n`);
      fsyncSync(descriptor);
      say({ event: "acknowledged", owner, count, tookMs: performance.now() - startedMs });
      await sleep(20);
    }
  } catch (cause) {
    say({ event: "refused", owner, cause: String(cause) });
  } finally {
    for (const one of [descriptor, careless]) closeSync(one);
  }
}

function findPort(): string {
  for (const name of readdirSync("/sys/class/virtio-ports"))
    if (readFileSync(`/sys/class/virtio-ports/${name}/name`, "utf8").trim() === "org.qvd.test") return name;
  throw new Error("there is no port to talk by");
}

const port = await open(`/dev/${findPort()}`, "r+");
const say = (event: object) => void writeSync(port.fd, `${JSON.stringify(event)}\n`);
say({ event: "up" });
const decoder = new TextDecoder();
let pending = "";
for (;;) {
  const { bytesRead, buffer } = await port.read(new Uint8Array(65_536));
  if (bytesRead === 0) await sleep(100);
  pending += decoder.decode(buffer.subarray(0, bytesRead), { stream: true });
  const lines = pending.split("\n");
  pending = lines.pop() ?? "";
  for (const line of lines.filter((one) => one !== "")) {
    const { id, ...request }: { id: number } & GuestRequest = JSON.parse(line);
    answer(request, say).then(
      (result) => say({ id, result }),
      (cause: unknown) => say({ id, fault: String(cause), code: isAppError(cause) ? cause.code : "bug" }),
    );
  }
}
