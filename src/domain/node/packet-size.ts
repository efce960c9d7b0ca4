/**
 * The largest packets of desktops' networks, in bytes. What a container sends to its own box crosses no wire: there they are
 * as on loopback, so that a picture is one packet, one read and one wake. All else has what wires have.
 */
export const PACKET_BYTES = { wire: 1500, ownBox: 65_520 } as const;

/** A packet's headers of IPv4 and TCP. */
const HEADER_BYTES = 40;

/** What TCP is told that may come in one, to the box and to a desktop. */
export const OWN_BOX_SEGMENT_BYTES = PACKET_BYTES.ownBox - HEADER_BYTES;
export const WIRE_SEGMENT_BYTES = PACKET_BYTES.wire - HEADER_BYTES;
