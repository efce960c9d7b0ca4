/**
 * A raw socket on one interface, for one protocol (packet(7)). Bun has none, so it is opened through bun:ffi; no
 * call of it blocks. Needs root.
 */

import { dlopen, FFIType, ptr } from "bun:ffi";
import { close as closeBeside } from "node:fs";
import { AppError } from "../lib/errors.ts";

export interface PacketSocket {
  /** False when the kernel doesn't take it, as with an interface that is down or gone. */
  send(frame: Uint8Array): boolean;
  /** The next frame that came in, or undefined when none waits. It is overwritten by the next call. */
  receive(): Uint8Array | undefined;
  close(): void;
}

const AF_PACKET = 17;
// SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC
const KIND = 3 | 0x800 | 0x80000;
const ADDRESS_BYTES = 20;
const MOST_FRAME_BYTES = 256;

/** `interfaceIndex` as in /sys/class/net/NAME/ifindex. */
export function openPacketSocket(interfaceIndex: number, etherType: number): PacketSocket {
  const { i32, u64, pointer } = FFIType;
  const library = dlopen("libc.so.6", {
    socket: { args: [i32, i32, i32], returns: i32 },
    bind: { args: [i32, pointer, i32], returns: i32 },
    send: { args: [i32, pointer, u64, i32], returns: i32 },
    recv: { args: [i32, pointer, u64, i32], returns: i32 },
    close: { args: [i32], returns: i32 },
  });
  const { socket, bind, send, recv, close } = library.symbols;
  const address = new Uint8Array(ADDRESS_BYTES);
  const view = new DataView(address.buffer);
  view.setUint16(0, AF_PACKET, true);
  view.setUint16(2, etherType);
  view.setInt32(4, interfaceIndex, true);
  // Protocol 0 hears nothing, so that no frame of another interface comes in before it is bound.
  const descriptor = socket(AF_PACKET, KIND, 0);
  if (descriptor < 0 || bind(descriptor, ptr(address), ADDRESS_BYTES) !== 0) {
    if (descriptor >= 0) close(descriptor);
    library.close();
    throw new AppError("driver-failed", `Opening a raw socket on interface ${interfaceIndex}: refused`);
  }
  const buffer = new Uint8Array(MOST_FRAME_BYTES);
  return {
    send: (frame) => send(descriptor, ptr(frame), frame.byteLength, 0) === frame.byteLength,
    receive() {
      const size = recv(descriptor, ptr(buffer), MOST_FRAME_BYTES, 0);
      return size < 0 ? undefined : buffer.subarray(0, size);
    },
    close() {
      library.close();
      // In a thread: the kernel waits some ten milliseconds for whoever may still see the socket.
      closeBeside(descriptor, () => {});
    },
  };
}
