/** Base 62 of fixed length: what QVD's tokens are written in, 43 characters of 256 bits. */

const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

export function formatBase62(bytes: Uint8Array): string {
  let number = BigInt(`0x${Buffer.from(bytes).toString("hex") || "0"}`);
  const length = Math.ceil((bytes.length * 8) / Math.log2(DIGITS.length));
  let text = "";
  while (text.length < length) {
    text = DIGITS.charAt(Number(number % 62n)) + text;
    number /= 62n;
  }
  return text;
}
