/** From the network of a line to that of a server: each server has one, for the sake of those that need it. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CLEAN_ENV } from "../../src/lib/run.ts";

export type Relay = { readonly socket: string; close(): Promise<void> };

/** `beside` is what puts a program into the server's network. */
export async function startRelay(port: number, beside: readonly string[] = []): Promise<Relay> {
  const folder = mkdtempSync(join(tmpdir(), "qvd-bench-line-"));
  const socket = join(folder, "line");
  const words = [process.execPath, join(import.meta.dir, "line.ts"), socket, `${port}`, "0"];
  const child = Bun.spawn([...beside, ...words], {
    env: { ...CLEAN_ENV },
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
  await child.stdout.getReader().read();
  return {
    socket,
    async close() {
      child.kill();
      await child.exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
