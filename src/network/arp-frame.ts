/** The question "who has this address?" and its answer, as they stand on the wire (RFC 826, over Ethernet). Pure. */

export type ArpParty = { readonly mac: string; readonly address: string };

const ETHERTYPE_ARP = 0x0806;
const [REQUEST, REPLY] = [1, 2] as const;
const FRAME_BYTES = 42;

/** To `asked` alone, not to all: whoever else is plugged in need not hear it. */
export function renderArpRequest(asker: ArpParty, asked: ArpParty): Uint8Array {
  const frame = new Uint8Array(FRAME_BYTES);
  const view = new DataView(frame.buffer);
  frame.set(macBytes(asked.mac), 0);
  frame.set(macBytes(asker.mac), 6);
  view.setUint16(12, ETHERTYPE_ARP);
  view.setUint16(14, 1);
  view.setUint16(16, 0x0800);
  frame.set([6, 4], 18);
  view.setUint16(20, REQUEST);
  frame.set(macBytes(asker.mac), 22);
  frame.set(addressBytes(asker.address), 28);
  frame.set(addressBytes(asked.address), 38);
  return frame;
}

/** Who answers; undefined for every other frame. */
export function parseArpReply(frame: Uint8Array): ArpParty | undefined {
  if (frame.byteLength < FRAME_BYTES) return undefined;
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const isReply =
    view.getUint16(12) === ETHERTYPE_ARP &&
    view.getUint16(14) === 1 &&
    view.getUint16(16) === 0x0800 &&
    view.getUint16(20) === REPLY;
  if (!isReply) return undefined;
  const mac = [...frame.subarray(22, 28)].map((byte) => byte.toString(16).padStart(2, "0")).join(":");
  return { mac, address: [...frame.subarray(28, 32)].join(".") };
}

function macBytes(mac: string): readonly number[] {
  return mac.split(":").map((byte) => Number.parseInt(byte, 16));
}

function addressBytes(address: string): readonly number[] {
  return address.split(".").map(Number);
}
