/** The frames of a WebSocket (RFC 6455, section 5.2), as its server writes them: whole and unmasked. */

export const OPCODE = { more: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;
/** From here on they are about the connection: short, whole, and allowed between parts of a message. */
export const FIRST_CONTROL = 8;
export const MOST_CONTROL_BYTES = 125;
export const FINAL = 0x80;

/** Why a connection is closed. */
export const CLOSE = { done: 1000, protocol: 1002, notText: 1007, tooMany: 1008, tooLarge: 1009 } as const;

/** In `room` where it fits there, so that no memory is asked for: then it is good until the next is. */
export function formatFrame(opcode: number, payload: Uint8Array, room?: Buffer): Buffer {
  const { length } = payload;
  const headBytes = length <= MOST_CONTROL_BYTES ? 2 : length <= 0xffff ? 4 : 10;
  const isRoom = room !== undefined && headBytes + length <= room.length;
  const frame = isRoom ? room.subarray(0, headBytes + length) : Buffer.allocUnsafe(headBytes + length);
  frame[0] = FINAL | opcode;
  if (headBytes === 2) frame[1] = length;
  else if (headBytes === 4) {
    frame[1] = 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = 127;
    frame.writeUInt32BE(Math.floor(length / 2 ** 32), 2);
    frame.writeUInt32BE(length >>> 0, 6);
  }
  frame.set(payload, headBytes);
  return frame;
}

export function formatClose(code: number): Buffer {
  const payload = Buffer.allocUnsafe(2);
  payload.writeUInt16BE(code);
  return formatFrame(OPCODE.close, payload);
}
