/**
 * What stands in nxproxy's place where the way of the bytes is looked at and not what they show: connects to the
 * socket it is told, says something all the time, and ends when a line says `leave`, or without reading to the end when it says `vanish`. `stand-in-nxproxy.ts -S nx/nx,…connect=unix:PATH:0`.
 */

import { connect } from "node:net";

const [, path = ""] = /connect=unix:(.*):0$/.exec(process.argv.at(-1) ?? "") ?? [];
const socket = connect(path);
socket.on("connect", () => socket.write("hello\n"));
setInterval(() => socket.write("still here\n"), 100);
socket.on("data", (chunk: Buffer) => {
  if (chunk.toString().includes("leave")) process.exit(0);
  // With more under way to it, which it doesn't take any more.
  if (chunk.toString().includes("vanish")) {
    Bun.sleepSync(500);
    process.exit(0);
  }
});
socket.on("close", () => process.exit(1));
socket.on("error", () => process.exit(1));
