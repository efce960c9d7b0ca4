/**
 * Finds what of a new picture stands on the viewer's screen already, elsewhere: what was scrolled, and windows that were
 * moved. A copy costs 16 bytes and next to nothing to show. Nothing is believed: each line of a copy has been
 * compared.
 */

import { bandsOf, type Canvas, type LinePart } from "./canvas.ts";
import { areaOf, enclose, intersect, type Rectangle } from "./rectangle.ts";
import type { Picture } from "./screen-reader.ts";
import type { ScrollMemory, Shift } from "./scroll-memory.ts";
import type { Move } from "./window-moves.ts";

export type Copy = { readonly to: Rectangle; readonly dx: number; readonly dy: number };

/** What is smaller is sent as quickly. */
const LEAST_PIXELS = 4_096;
const LEAST_LINES = 8;
/** Pixels of a line that its mark is made of; odd steps fall into no pattern. */
const SAMPLES = 61;
/** Of what was copied, as much may be left to be sent, and as much of that at its sides. */
const [MOST_LEFT, MOST_BESIDE] = [0.5, 0.05];
/** Lines that tell whether the others are worth a look. */
const PROBES = 24;
/** As many ways to scroll are tried. */
const MOST_WAYS = 3;

export type Found = {
  readonly copies: readonly Copy[];
  /** What differs from the picture once they have been made. */
  readonly changed: readonly Rectangle[];
};

/** Copies on the canvas, too, so that each sees what those before it did. */
export function findCopies(
  canvas: Canvas,
  picture: Picture,
  { moves, memory }: { readonly moves: readonly Move[]; readonly memory: ScrollMemory },
): Found {
  const moved = moves.flatMap((move) => moveWindow(canvas, picture, move));
  if (moved.length > 0) return { copies: moved, changed: bandsOf(canvas.listChangedLines(picture)) };
  for (const shift of memory.shifts) {
    const again = scrollAgain(canvas, picture, shift);
    if (again === undefined) continue;
    memory.note(again.shift);
    copyAll(canvas, again.copies);
    return again;
  }
  const changed = canvas.listChangedLines(picture);
  const copies = scroll(canvas, picture, { changed, memory });
  if (copies.length === 0) return { copies, changed: bandsOf(changed) };
  // Their lines are whole: what is left and right of what changed anywhere changed nowhere.
  const isCopied = ({ y }: LinePart) => copies.some(({ to }) => y >= to.y && y < to.y + to.height);
  return { copies, changed: bandsOf(changed.filter((line) => !isCopied(line))) };
}

/**
 * Whoever scrolls goes on: what was found last is tried before all lines are looked at. Undefined where too much is left
 * besides: then more may have been scrolled than is remembered.
 */
function scrollAgain(canvas: Canvas, picture: Picture, shift: Shift): (Found & { shift: Shift }) | undefined {
  const here = intersect({ ...shift.place, y: picture.y, height: picture.height }, picture);
  if (here === undefined || here.height < 2 * LEAST_LINES || areaOf(here) < LEAST_PIXELS) return undefined;
  if (!isLikely(canvas, picture, { ...shift, place: here })) return undefined;
  const copies = listRuns(canvas, picture, { ...shift, place: here });
  if (copies.length === 0) return undefined;
  // None of it lies in what the copies will write.
  const changed = partsBeside(picture, copies).flatMap((part) =>
    bandsOf(canvas.listChangedLines(picture, part)),
  );
  const copied = copies.reduce((sum, { to }) => sum + areaOf(to), 0);
  const left = changed.reduce((sum, place) => sum + areaOf(place), 0);
  if (left > copied * MOST_LEFT) return undefined;
  const place = copies.map(({ to }) => to).reduce(enclose);
  const beside = changed.filter(({ y, height }) => y >= place.y && y + height <= place.y + place.height);
  const isNarrow = beside.reduce((sum, one) => sum + areaOf(one), 0) > copied * MOST_BESIDE;
  return { copies, changed, shift: { ...shift, place: isNarrow ? beside.reduce(enclose, place) : place } };
}

/** Of some lines, so many that it is worth looking at all. */
function isLikely(canvas: Canvas, picture: Picture, { place, dx, dy }: Shift): boolean {
  let same = 0;
  for (let probe = 0; probe < PROBES; probe++) {
    const y = place.y + Math.floor((place.height * probe) / PROBES);
    if (y + dy < 0 || y + dy >= canvas.height) continue;
    if (canvas.isLineSame(picture, { y, from: place.x, to: place.x + place.width }, dx, dy)) same++;
  }
  return same * 4 >= PROBES;
}

/** All of the picture that lies in no copy; those are of the same columns, one below the other. */
function partsBeside(picture: Picture, copies: readonly Copy[]): Rectangle[] {
  const parts: Rectangle[] = [];
  let top = picture.y;
  for (const { to } of [...copies].sort((one, other) => one.to.y - other.to.y)) {
    parts.push({ x: picture.x, y: top, width: picture.width, height: to.y - top });
    const [right, end] = [to.x + to.width, picture.x + picture.width];
    parts.push({ ...to, x: picture.x, width: to.x - picture.x }, { ...to, x: right, width: end - right });
    top = to.y + to.height;
  }
  parts.push({ x: picture.x, y: top, width: picture.width, height: picture.y + picture.height - top });
  return parts.filter((part) => areaOf(part) > 0);
}

function moveWindow(canvas: Canvas, picture: Picture, { to, dx, dy }: Move): readonly Copy[] {
  const screen = { x: 0, y: 0, width: canvas.width, height: canvas.height };
  const whence = intersect({ ...to, x: to.x + dx, y: to.y + dy }, screen);
  const there = intersect(to, picture);
  const place =
    whence === undefined || there === undefined
      ? undefined
      : intersect(there, { ...whence, x: whence.x - dx, y: whence.y - dy });
  if (place === undefined || areaOf(place) < LEAST_PIXELS) return [];
  return copyAll(canvas, listRuns(canvas, picture, { place, dx, dy }));
}

type Changed = { readonly changed: readonly LinePart[]; readonly memory: ScrollMemory };

function scroll(canvas: Canvas, picture: Picture, { changed, memory }: Changed): readonly Copy[] {
  const place = boundsOf(changed);
  if (place === undefined || place.height < 2 * LEAST_LINES || areaOf(place) < LEAST_PIXELS) return [];
  if (!memory.isWorthLooking(place)) return [];
  for (const dy of guessScrolls(canvas, picture, { place, changed })) {
    const copies = copyAll(canvas, listRuns(canvas, picture, { place, dx: 0, dy }));
    if (copies.length === 0) continue;
    memory.note({ place: copies.map(({ to }) => to).reduce(enclose), dx: 0, dy });
    return copies;
  }
  memory.noteVain(place);
  return [];
}

function boundsOf(lines: readonly LinePart[]): Rectangle | undefined {
  const [first, last] = [lines[0], lines.at(-1)];
  if (first === undefined || last === undefined) return undefined;
  let { from, to } = first;
  for (const line of lines) {
    from = Math.min(from, line.from);
    to = Math.max(to, line.to);
  }
  return { x: from, y: first.y, width: to - from, height: last.y + 1 - first.y };
}

/** Of the lines that are found there, those runs that spare much; in an order in which none takes what another wrote. */
function listRuns(canvas: Canvas, picture: Picture, { place, dx, dy }: Shift): Copy[] {
  const copies: Copy[] = [];
  const [from, to] = [place.x, place.x + place.width];
  const leastNews = Math.max(LEAST_LINES, Math.ceil(LEAST_PIXELS / place.width));
  const isHere = (y: number) =>
    y + dy >= 0 && y + dy < canvas.height && canvas.isLineSame(picture, { y, from, to }, dx, dy);
  let run: { top: number; count: number; news: number } | undefined;
  const end = () => {
    if (run === undefined) return;
    const copy = { to: { ...place, y: run.top, height: run.count }, dx, dy };
    if (run.news >= leastNews) copies.push(copy);
    run = undefined;
  };
  for (let y = place.y; y < place.y + place.height; y++) {
    if (!isHere(y)) {
      end();
      continue;
    }
    run ??= { top: y, count: 0, news: 0 };
    run.count++;
    // Beyond so many it doesn't matter.
    if (run.news < leastNews && !canvas.isLineSame(picture, { y, from, to })) run.news++;
  }
  end();
  // The source of one must not be what another has written: downwards the lowest comes first.
  return dy < 0 ? copies.reverse() : copies;
}

function copyAll(canvas: Canvas, copies: readonly Copy[]): readonly Copy[] {
  for (const { to, dx, dy } of copies) canvas.copy(to, dx, dy);
  return copies;
}

type Sought = { readonly place: Rectangle; readonly changed: readonly LinePart[] };

/** By how many lines what is there now was farther down, the likeliest first. */
function guessScrolls(canvas: Canvas, picture: Picture, { place, changed }: Sought): readonly number[] {
  const theirs = new Uint32Array(picture.bytes.buffer, picture.bytes.byteOffset, areaOf(picture));
  const step = Math.max(1, Math.floor(place.width / SAMPLES) | 1);
  const lineOfMark = new Map<number, number>();
  for (let y = place.y; y < place.y + place.height; y++) {
    const mark = markOf(canvas.pixels, y * canvas.width + place.x, place.width, step);
    // Those that are there twice, as empty ones, tell nothing.
    lineOfMark.set(mark, lineOfMark.has(mark) ? -1 : y);
  }
  const votes = new Map<number, number>();
  for (const { y } of changed) {
    const start = (y - picture.y) * picture.width + place.x - picture.x;
    const before = lineOfMark.get(markOf(theirs, start, place.width, step)) ?? -1;
    if (before !== -1 && before !== y) votes.set(before - y, (votes.get(before - y) ?? 0) + 1);
  }
  return [...votes]
    .filter(([, count]) => count >= 2)
    .sort(([, one], [, other]) => other - one)
    .slice(0, MOST_WAYS)
    .map(([dy]) => dy);
}

function markOf(pixels: Uint32Array, start: number, width: number, step: number): number {
  let mark = 0;
  for (let x = 0; x < width; x += step) mark = (Math.imul(mark, 31) + (pixels[start + x] ?? 0)) | 0;
  return mark;
}
