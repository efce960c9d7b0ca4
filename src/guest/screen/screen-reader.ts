/**
 * Reads the session's screen: hears from X what was drawn on (DAMAGE), which windows were moved, and has pictures put into
 * shared memory (MIT-SHM). One for each viewer, so each has its own pace. What to make of pictures is the
 * painter's affair.
 */

import { AppError } from "../../lib/errors.ts";
import { enclose, gather, intersect, type Rectangle } from "./rectangle.ts";
import { openSharedMemory, type SharedMemory } from "./shared-memory.ts";
import { type Move, WindowMoves } from "./window-moves.ts";
import { XConnection } from "./x-connection.ts";

/** A part of the screen as it is now: rows of 32-bit pixels, blue first, without a gap between them. */
export type Picture = Rectangle & {
  /** Good until the next look. */
  readonly bytes: Buffer;
};

export type Look = { readonly pictures: readonly Picture[]; readonly moves: readonly Move[] };

const CHANGE_ATTRIBUTES = 2;
const EVENT_MASK = 0x800;
const [STRUCTURE, SUBSTRUCTURE] = [0x20000, 0x80000];
const QUERY_EXTENSION = 98;
const DAMAGE = { version: 0, create: 1, subtract: 3, deltas: 1 } as const;
const SHM = { version: 0, attach: 1, detach: 2, getImage: 4, zPixmap: 2 } as const;
const ALL_PLANES = 0xffffffff;
/** Both take 32 bits for a pixel. */
const DEPTHS: readonly number[] = [24, 32];
/** As many pieces of the screen are asked for at a time; a request costs as much as so many pixels. */
const [MOST_PIECES, PIECE_PIXELS] = [4, 20_000];
/** What was drawn on is told in pieces of X's own making: beyond so many their whole is good enough. */
const MOST_DAMAGED = 64;

export class ScreenReader {
  readonly #x: XConnection;
  readonly #opcodes: { readonly damage: number; readonly shm: number };
  readonly #damage: number;
  readonly #moves = new WindowMoves();
  #memory: { readonly shared: SharedMemory; readonly segment: number } | undefined;
  #damaged: Rectangle[] = [];

  private constructor(x: XConnection, opcodes: { readonly damage: number; readonly shm: number }) {
    this.#x = x;
    this.#opcodes = opcodes;
    this.#damage = x.newId();
  }

  /** `path` is X's socket. `onDamage` is called when there is something new to see, `onClose` when X has gone. */
  static async open(
    path: string,
    events: { readonly onDamage: () => void; readonly onClose: () => void },
  ): Promise<ScreenReader> {
    const x = await XConnection.open(path);
    try {
      const [damage, shm] = [await queryExtension(x, "DAMAGE"), await queryExtension(x, "MIT-SHM")];
      await x.ask(damage.opcode, DAMAGE.version, words(1, 1));
      await x.ask(shm.opcode, SHM.version, words());
      const reader = new ScreenReader(x, { damage: damage.opcode, shm: shm.opcode });
      x.watch((event) => {
        if ((event.readUInt8(0) & 0x7f) !== damage.event) return reader.#moves.observe(event, x.root);
        reader.#note(event);
        events.onDamage();
      }, events.onClose);
      x.send(CHANGE_ATTRIBUTES, 0, words(x.root, EVENT_MASK, STRUCTURE | SUBSTRUCTURE));
      x.send(damage.opcode, DAMAGE.create, words(reader.#damage, x.root, DAMAGE.deltas));
      return reader;
    } catch (error) {
      x.close();
      throw error;
    }
  }

  get hasNews(): boolean {
    return this.#damaged.length > 0;
  }

  /** What was drawn on since the look before, and `besides`; nothing beyond `screen`. Rejects when X refuses. */
  async look(screen: Rectangle, besides: readonly Rectangle[]): Promise<Look> {
    const wanted = [...this.#damaged, ...besides].flatMap((one) => intersect(one, screen) ?? []);
    const before = this.#damaged;
    this.#damaged = [];
    try {
      const memory = await this.#ensureMemory(screen.width * screen.height * 4);
      // From here on it tells anew what is drawn on, so nothing is missed between both.
      this.#x.send(this.#opcodes.damage, DAMAGE.subtract, words(this.#damage, 0, 0));
      const answers: Promise<void>[] = [];
      const pictures: Picture[] = [];
      let offset = 0;
      for (const piece of gather(wanted, MOST_PIECES, PIECE_PIXELS)) {
        const sizeBytes = piece.width * piece.height * 4;
        // Pieces may overlap, and so be more than the screen.
        if (offset + sizeBytes > memory.shared.bytes.length) {
          this.#damaged.push(piece);
          continue;
        }
        answers.push(this.#fetch(piece, memory.segment, offset));
        pictures.push({ ...piece, bytes: memory.shared.bytes.subarray(offset, offset + sizeBytes) });
        offset += sizeBytes;
      }
      await Promise.all(answers);
      return { pictures, moves: this.#moves.take() };
    } catch (error) {
      this.#damaged = [...before, ...this.#damaged];
      throw error;
    }
  }

  close(): void {
    this.#x.close();
    this.#memory?.shared.detach();
    this.#memory = undefined;
  }

  #note(event: Buffer): void {
    const [x, y] = [event.readInt16LE(16), event.readInt16LE(18)];
    const area = { x, y, width: event.readUInt16LE(20), height: event.readUInt16LE(22) };
    this.#damaged.push(area);
    if (this.#damaged.length > MOST_DAMAGED) this.#damaged = [this.#damaged.reduce(enclose)];
  }

  async #fetch({ x, y, width, height }: Rectangle, segment: number, offset: number): Promise<void> {
    const body = Buffer.alloc(28);
    body.writeUInt32LE(this.#x.root, 0);
    body.writeInt16LE(x, 4);
    body.writeInt16LE(y, 6);
    body.writeUInt16LE(width, 8);
    body.writeUInt16LE(height, 10);
    body.writeUInt32LE(ALL_PLANES, 12);
    body.writeUInt8(SHM.zPixmap, 16);
    body.writeUInt32LE(segment, 20);
    body.writeUInt32LE(offset, 24);
    const reply = await this.#x.ask(this.#opcodes.shm, SHM.getImage, body);
    const depth = reply.readUInt8(1);
    if (!DEPTHS.includes(depth) || reply.readUInt32LE(12) !== width * height * 4)
      throw new AppError(
        "unavailable",
        `the session's screen has ${depth} bits a pixel, which can't be read`,
      );
  }

  async #ensureMemory(sizeBytes: number) {
    if (this.#memory !== undefined && this.#memory.shared.bytes.length >= sizeBytes) return this.#memory;
    if (this.#memory !== undefined) {
      this.#x.send(this.#opcodes.shm, SHM.detach, words(this.#memory.segment));
      this.#memory.shared.detach();
      this.#memory = undefined;
    }
    const shared = openSharedMemory(sizeBytes);
    const segment = this.#x.newId();
    this.#x.send(this.#opcodes.shm, SHM.attach, words(segment, shared.id, 0));
    try {
      // Answered after the request before, so X has it by then, or refused it.
      await this.#x.ask(this.#opcodes.shm, SHM.version, words());
    } catch (error) {
      shared.detach();
      throw error;
    }
    this.#memory = { shared, segment };
    return this.#memory;
  }
}

async function queryExtension(
  x: XConnection,
  name: string,
): Promise<{ readonly opcode: number; readonly event: number }> {
  const body = Buffer.alloc(4 + ((name.length + 3) & ~3));
  body.writeUInt16LE(name.length, 0);
  body.write(name, 4, "latin1");
  const reply = await x.ask(QUERY_EXTENSION, 0, body);
  if (reply.readUInt8(8) === 0) throw new AppError("unavailable", `the session's X server has no ${name}`);
  return { opcode: reply.readUInt8(9), event: reply.readUInt8(10) };
}

function words(...values: readonly number[]): Buffer {
  const body = Buffer.alloc(values.length * 4);
  for (const [at, value] of values.entries()) body.writeUInt32LE(value >>> 0, at * 4);
  return body;
}
