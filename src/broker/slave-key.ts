const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const LENGTH = 64;

/** A key for the slave channel: 64 of A-Za-z0-9, evenly chosen. `random` fills an array with random bytes. */
export function createSlaveKey(random: (into: Uint8Array<ArrayBuffer>) => Uint8Array): string {
  // Bytes over the largest multiple of the alphabet's length would favour its beginning.
  const evenBelow = 256 - (256 % ALPHABET.length);
  let key = "";
  while (key.length < LENGTH)
    for (const byte of random(new Uint8Array(LENGTH * 2)))
      if (byte < evenBelow && key.length < LENGTH) key += ALPHABET[byte % ALPHABET.length];
  return key;
}
