/**
 * Makes updates of RFB out of pictures for one viewer: keeps what that viewer has, and sends copies of what it has
 * elsewhere, then what is new. All pixels are read before the first wait, so that pictures may be overwritten then.
 */

import { bandsOf, Canvas } from "./canvas.ts";
import { ColourCounter, type Colours } from "./colours.ts";
import { findCopies } from "./find-copies.ts";
import { LossyTiles } from "./lossy-tiles.ts";
import type { PixelFormat } from "./pixel-format.ts";
import { packRaw } from "./raw.ts";
import { areaOf, enclose, holds, intersect, type Rectangle } from "./rectangle.ts";
import type { Look, Picture } from "./screen-reader.ts";
import { ScrollMemory } from "./scroll-memory.ts";
import { type Packed, type Pixels, packCopy, type TightPacker } from "./tight.ts";
import type { Move } from "./window-moves.ts";

/** What is larger is packed in bands, each in its own way, and a band of many colours in pieces. */
const BAND = { width: 2_048, pixels: 65_536 };
const PIECE_WIDTH = 256;
/** A smaller photo is not worth a JPEG's tables. */
const LEAST_PHOTO_PIXELS = 4_096;
/** Of a whole photo; it must fit what a viewer can take as one. */
const MOST_PHOTO_WIDTH = 2_048;
const RESTED_MS = 300;
/** Of more places than that their whole is unknown. */
const MOST_UNKNOWN = 8;
/** So much is refreshed in one go: 64 tiles of 32×32, some hundred kB. */
const MOST_REFRESHED_TILES = 64;

export type PainterOptions = {
  readonly width: number;
  readonly height: number;
  /** Of JPEGs, 1 to 100; none are sent without. */
  readonly photoQuality: number | undefined;
  readonly canCopy: boolean;
  /** What it has packed is known to the viewer whatever size its screen has: it outlives a painter. */
  readonly packer: TightPacker;
  /** Of a viewer that doesn't know Tight. */
  readonly rawFormat: PixelFormat | undefined;
  /** Milliseconds, of a clock that never goes back. */
  readonly now: () => number;
};

export class Painter {
  readonly #options: PainterOptions;
  readonly #canvas: Canvas;
  readonly #lossy: LossyTiles;
  readonly #colours = new ColourCounter();
  readonly #memory = new ScrollMemory();
  /** Nothing is known of what the viewer has there. */
  #unknown: Rectangle[];

  constructor(options: PainterOptions) {
    this.#options = options;
    this.#canvas = new Canvas(options.width, options.height);
    this.#lossy = new LossyTiles(options.width, options.height);
    this.#unknown = [this.screen];
  }

  get screen(): Rectangle {
    return { x: 0, y: 0, width: this.#options.width, height: this.#options.height };
  }

  /** To be looked at, besides what was drawn on. */
  get unknown(): readonly Rectangle[] {
    return this.#unknown;
  }

  /** The viewer asks for all of it again. */
  forget(place: Rectangle): void {
    const there = intersect(place, this.screen);
    if (there === undefined) return;
    const unknown = [...this.#unknown, there];
    this.#unknown = unknown.length > MOST_UNKNOWN ? [unknown.reduce(enclose)] : unknown;
  }

  /** When something waits to be sent without loss. */
  get hasLoss(): boolean {
    return !this.#lossy.isEmpty;
  }

  /** An update, or undefined when the viewer has all of it. */
  async paint({ pictures, moves }: Look): Promise<Buffer | undefined> {
    const packed: Packed[] = [];
    const nowMs = this.#options.now();
    for (const picture of pictures) {
      if (this.#unknown.length > 0) {
        packed.push(...this.#paintUnknown(picture, nowMs));
        continue;
      }
      for (const place of this.#copy(packed, picture, moves))
        packed.push(...this.#pack(picture, place, nowMs));
    }
    this.#unknown = this.#unknown.filter((place) => !pictures.some((picture) => holds(picture, place)));
    return await updateOf(packed);
  }

  /** What has rested since it was sent with loss, without loss; undefined where nothing has. */
  async refresh(): Promise<Buffer | undefined> {
    const rested = this.#lossy.takeRested(this.#options.now() - RESTED_MS, MOST_REFRESHED_TILES);
    const { pixels, width } = this.#canvas;
    const packed = rested.map((place) => {
      const source = { pixels, start: place.y * width + place.x, stride: width };
      return this.#packExactly(place, source, this.#colours.count({ ...source, ...sizeOf(place) }));
    });
    return await updateOf(packed);
  }

  /** Adds copies to what is packed; returns what is left to be sent. */
  #copy(packed: Packed[], picture: Picture, moves: readonly Move[]): readonly Rectangle[] {
    if (!this.#options.canCopy) return bandsOf(this.#canvas.listChangedLines(picture));
    const found = { moves, memory: this.#memory };
    const { copies, changed } = findCopies(this.#canvas, picture, found);
    for (const { to, dx, dy } of copies) {
      this.#lossy.copy(to, dx, dy, this.#options.now());
      packed.push(packCopy(to, dx, dy));
    }
    return changed;
  }

  #paintUnknown(picture: Picture, nowMs: number): Packed[] {
    const here = this.#unknown.flatMap((place) => intersect(place, picture) ?? []);
    const packed = here.flatMap((place) => this.#pack(picture, place, nowMs));
    const changed = bandsOf(this.#canvas.listChangedLines(picture));
    return [...packed, ...changed.flatMap((place) => this.#pack(picture, place, nowMs))];
  }

  #pack(picture: Picture, place: Rectangle, nowMs: number): Packed[] {
    this.#canvas.put(picture, place);
    const packed: Packed[] = [];
    const photos: Rectangle[] = [];
    const take = (piece: Rectangle, isWhole: boolean) => {
      const source = sourceOf(picture, piece);
      const colours = this.#colours.count({ ...source, ...sizeOf(piece) });
      if (colours.kind !== "many") packed.push(this.#packExactly(piece, source, colours));
      else if (!isWhole) for (const part of cut(piece, PIECE_WIDTH, piece.height)) take(part, true);
      else if (this.#isPhoto(place)) addPhoto(photos, piece);
      else packed.push(this.#packExactly(piece, source, colours));
    };
    for (const band of bandsToPack(place)) take(band, band.width <= PIECE_WIDTH);
    for (const photo of photos) {
      this.#lossy.note(photo, nowMs);
      const quality = this.#options.photoQuality ?? 0;
      packed.push(this.#options.packer.packPhoto(photo, sourceOf(picture, photo), quality));
    }
    return packed;
  }

  #packExactly(place: Rectangle, source: Pixels, colours: Colours): Packed {
    const { rawFormat, packer } = this.#options;
    return rawFormat === undefined ? packer.pack(place, source, colours) : packRaw(place, source, rawFormat);
  }

  #isPhoto(place: Rectangle): boolean {
    const { photoQuality, rawFormat } = this.#options;
    return photoQuality !== undefined && rawFormat === undefined && areaOf(place) >= LEAST_PHOTO_PIXELS;
  }
}

function sizeOf({ width, height }: Rectangle) {
  return { width, height };
}

function sourceOf(picture: Picture, { x, y }: Rectangle): Pixels {
  const { bytes, width: stride } = picture;
  return {
    pixels: new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4),
    start: (y - picture.y) * stride + x - picture.x,
    stride,
  };
}

function bandsToPack(place: Rectangle): Rectangle[] {
  const width = Math.min(place.width, BAND.width);
  return cut(place, width, Math.floor(BAND.pixels / width));
}

/** Line after line of pieces of at most that size, each line from left to right. */
function cut({ x, y, width, height }: Rectangle, mostWidth: number, mostHeight: number): Rectangle[] {
  const pieces: Rectangle[] = [];
  for (let top = y; top < y + height; top += mostHeight)
    for (let left = x; left < x + width; left += mostWidth)
      pieces.push({
        x: left,
        y: top,
        width: Math.min(mostWidth, x + width - left),
        height: Math.min(mostHeight, y + height - top),
      });
  return pieces;
}

/** To the one at its left where they fit, and a whole line of them to the one above. */
function addPhoto(photos: Rectangle[], piece: Rectangle): void {
  const last = photos.at(-1);
  const isBeside = last?.y === piece.y && last.x + last.width === piece.x && last.height === piece.height;
  if (last !== undefined && isBeside && last.width + piece.width <= MOST_PHOTO_WIDTH)
    photos.splice(-1, 1, { ...last, width: last.width + piece.width });
  else photos.push(piece);
  const [above, below] = photos.slice(-2);
  if (above === undefined || below === undefined) return;
  if (above.x === below.x && above.width === below.width && above.y + above.height === below.y)
    photos.splice(-2, 2, { ...above, height: above.height + below.height });
}

const UPDATE = 0;

async function updateOf(packed: readonly Packed[]): Promise<Buffer | undefined> {
  if (packed.length === 0) return undefined;
  const head = Buffer.alloc(4);
  head.writeUInt8(UPDATE, 0);
  head.writeUInt16BE(packed.length, 2);
  return Buffer.concat([head, ...(await Promise.all(packed))]);
}
