/** RFC 4648 base 32 without padding: how authenticator apps take a secret, also typed by hand. */

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

export function formatBase32(bytes: Uint8Array): string {
  let bits = "";
  for (const byte of bytes) bits += byte.toString(2).padStart(8, "0");
  const groups = bits.match(/.{1,5}/g) ?? [];
  return groups.map((group) => ALPHABET.charAt(Number.parseInt(group.padEnd(5, "0"), 2))).join("");
}

/** Takes lower case, spaces and padding too; undefined where there is another character. */
export function parseBase32(text: string): Uint8Array | undefined {
  const clean = text.replace(/[\s-]|=+$/g, "").toUpperCase();
  if (!/^[A-Z2-7]+$/.test(clean)) return undefined;
  const bits = [...clean].map((one) => ALPHABET.indexOf(one).toString(2).padStart(5, "0")).join("");
  const bytes = bits.match(/.{8}/g) ?? [];
  return Uint8Array.from(bytes, (byte) => Number.parseInt(byte, 2));
}
