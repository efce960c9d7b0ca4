/**
 * The two ways from an agent to its node: the unix socket that a container sees, and the serial port of a
 * virtual machine. Whoever dials gets bytes; what they mean is `attach.ts`'s.
 */

import { closeSync, constants, openSync, readSync, writeSync } from "node:fs";

export type Wire = {
  /** How many bytes were taken; `drain` tells when more will be. */
  write(bytes: Uint8Array): number;
  terminate(): void;
};

export type WireEvents = {
  open(wire: Wire): void;
  data(chunk: Uint8Array): void;
  drain(): void;
  /** It was refused or has ended; may be called more than once. */
  end(): void;
};

export type Dial = (events: WireEvents) => void;

export function dialSocket(path: string): Dial {
  return ({ open, data, drain, end }) => {
    const socket = {
      open,
      data: (_socket: Wire, chunk: Uint8Array) => data(chunk),
      drain,
      end,
      close: end,
      error: end,
      connectError: end,
    };
    Bun.connect({ unix: path, socket }).catch(end);
  };
}

/** The event loop can't wait for a device of this kind; a look costs some microseconds. */
const LOOK_MS = 50;
const MOST_READ_BYTES = 32 * 1024;

/**
 * Opened without blocking: while nobody listens on the host, a write would wait for ever. The host's absence
 * is read as the end of the file, for as long as it lasts. One opener at a time; a second is refused.
 */
export function dialPort(path: string, lookMs = LOOK_MS): Dial {
  return (events) => {
    let descriptor: number | undefined;
    let isShort = false;
    const buffer = new Uint8Array(MOST_READ_BYTES);
    const timer = setInterval(look, lookMs);
    const wire: Wire = {
      write(bytes) {
        const taken = descriptor === undefined ? 0 : writeSome(descriptor, bytes);
        isShort = taken < bytes.length;
        return taken;
      },
      terminate() {
        clearInterval(timer);
        if (descriptor !== undefined) closeSync(descriptor);
        descriptor = undefined;
      },
    };
    function fail() {
      wire.terminate();
      events.end();
    }
    function look() {
      try {
        for (;;) {
          // What a chunk brought about may have ended the wire.
          if (descriptor === undefined) return;
          const read = readSome(descriptor, buffer);
          if (read === undefined) break;
          if (read === 0) return fail();
          events.data(buffer.slice(0, read));
        }
        if (isShort) events.drain();
      } catch {
        // Whatever the device says, the next try begins anew.
        fail();
      }
    }
    try {
      descriptor = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
    } catch {
      // It isn't there yet, or an agent that is ending still has it.
      queueMicrotask(fail);
      return;
    }
    events.open(wire);
  };
}

/** Undefined when there is nothing to read just now; 0 when nobody is at the other end. */
function readSome(descriptor: number, buffer: Uint8Array): number | undefined {
  try {
    return readSync(descriptor, buffer, 0, buffer.length, null);
  } catch (error) {
    if (isAgain(error)) return undefined;
    throw error;
  }
}

function writeSome(descriptor: number, bytes: Uint8Array): number {
  if (bytes.length === 0) return 0;
  try {
    return writeSync(descriptor, bytes, 0, Math.min(bytes.length, MOST_READ_BYTES), null);
  } catch (error) {
    if (isAgain(error)) return 0;
    throw error;
  }
}

function isAgain(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EAGAIN";
}
