/**
 * A desktop's wish to record (CREATE_RECORD_STREAM of PulseAudio's protocol 13 and later), which may mean the usual source
 * and nothing else. There are more ways than one to hear what other programs play: a loudspeaker is a source, too, by its
 * monitor; `direct_on_input` names one program; and PipeWire takes its aim from a list of properties.
 */

/** Keys of PipeWire and its session managers that aim a stream at something. */
const AIMS = ["target.object", "node.target", "stream.capture.sink", "stream.monitor"];
const INVALID_INDEX = 0xffffffff;
const TAG = {
  string: 0x74,
  none: 0x4e,
  number: 0x4c,
  bytes: 0x78,
  format: 0x61,
  map: 0x6d,
  list: 0x50,
} as const;
const [YES, NO] = [0x31, 0x30];
/** Of a command and its tag, which precede all else. */
const HEAD_BYTES = 10;
const FORMAT_BYTES = 6;
/** Remap, remix, format, rate, channels, move, variable rate, peaks, latency. */
const FLAGS = 9;

/** Whether anything in a command's payload, properties above all, aims a stream at what is not the usual. */
export function namesAnAim(payload: Buffer): boolean {
  return AIMS.some((aim) => payload.includes(aim));
}

/** Whether a stream is to be recorded from no source by number or name, and from no single program. */
export function isUsualSource(payload: Buffer): boolean {
  const reader = new Tagged(payload, HEAD_BYTES);
  try {
    reader.skip(TAG.format, FORMAT_BYTES);
    reader.expect(TAG.map);
    reader.advance(reader.byte());
    if (reader.number() !== INVALID_INDEX) return false;
    reader.expect(TAG.none);
    reader.number();
    reader.flag();
    reader.number();
    for (let flag = 0; flag < FLAGS; flag++) reader.flag();
    reader.properties();
    return reader.number() === INVALID_INDEX;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** Reads a tagged structure from its start. Every method throws a RangeError at what isn't there. */
class Tagged {
  readonly #payload: Buffer;
  #at: number;

  constructor(payload: Buffer, at: number) {
    this.#payload = payload;
    this.#at = at;
  }

  advance(bytes: number): void {
    if (this.#at + bytes > this.#payload.length) throw new RangeError("cut short");
    this.#at += bytes;
  }

  byte(): number {
    this.advance(1);
    return this.#payload.readUInt8(this.#at - 1);
  }

  expect(tag: number): void {
    if (this.byte() !== tag) throw new RangeError("something else stands here");
  }

  skip(tag: number, bytes: number): void {
    this.expect(tag);
    this.advance(bytes);
  }

  flag(): void {
    const tag = this.byte();
    if (tag !== YES && tag !== NO) throw new RangeError("no flag stands here");
  }

  number(): number {
    this.skip(TAG.number, 4);
    return this.#payload.readUInt32BE(this.#at - 4);
  }

  /** Keys, each with the length of its value and the value, which says its length again; then none. */
  properties(): void {
    this.expect(TAG.list);
    for (let tag = this.byte(); tag !== TAG.none; tag = this.byte()) {
      if (tag !== TAG.string) throw new RangeError("no key stands here");
      const end = this.#payload.indexOf(0, this.#at);
      if (end < 0) throw new RangeError("a key has no end");
      this.advance(end + 1 - this.#at);
      const length = this.number();
      this.expect(TAG.bytes);
      this.advance(4);
      if (this.#payload.readUInt32BE(this.#at - 4) !== length) throw new RangeError("two lengths differ");
      this.advance(length);
    }
  }
}
