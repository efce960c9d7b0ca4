import { expect, test } from "bun:test";
import { GatewayPipe, pipeOf } from "./gateway-pipe.ts";

test("a request is a pipe's by address and port, since each address of loopback has all ports", () => {
  const pipe = new GatewayPipe("192.0.2.1", {
    room: Buffer.alloc(0),
    onServerLeft: () => {},
    onEnded: () => {},
  });
  const pipes = new Map([[40_000, pipe]]);
  expect(pipeOf(pipes, { address: "127.0.0.1", port: 40_000 })).toBe(pipe);
  expect(pipeOf(pipes, { address: "127.0.0.2", port: 40_000 })).toBeUndefined();
  expect(pipeOf(pipes, { address: "127.0.0.1", port: 40_001 })).toBeUndefined();
  expect(pipeOf(pipes, null)).toBeUndefined();
});
