/** Rectangles of a screen, in pixels. */

export type Rectangle = {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
};

export function areaOf({ width, height }: Rectangle): number {
  return width * height;
}

/** What lies in both; undefined when nothing does. */
export function intersect(one: Rectangle, other: Rectangle): Rectangle | undefined {
  const [x, y] = [Math.max(one.x, other.x), Math.max(one.y, other.y)];
  const width = Math.min(one.x + one.width, other.x + other.width) - x;
  const height = Math.min(one.y + one.height, other.y + other.height) - y;
  return width > 0 && height > 0 ? { x, y, width, height } : undefined;
}

export function holds(outer: Rectangle, inner: Rectangle): boolean {
  const isWithin = (from: number, to: number, least: number, most: number) => from >= least && to <= most;
  return (
    isWithin(inner.x, inner.x + inner.width, outer.x, outer.x + outer.width) &&
    isWithin(inner.y, inner.y + inner.height, outer.y, outer.y + outer.height)
  );
}

/** The smallest that holds both. */
export function enclose(one: Rectangle, other: Rectangle): Rectangle {
  const [x, y] = [Math.min(one.x, other.x), Math.min(one.y, other.y)];
  const width = Math.max(one.x + one.width, other.x + other.width) - x;
  const height = Math.max(one.y + one.height, other.y + other.height) - y;
  return { x, y, width, height };
}

/** So much more than its parts may an enclosing rectangle be. */
const LOOSENESS = 1.3;

/**
 * As few as are worth it that hold all of them: never more than `most`. What one more rectangle costs is told by
 * `overhead`, in pixels.
 */
export function gather(
  rectangles: readonly Rectangle[],
  most: number,
  overhead: number,
): readonly Rectangle[] {
  const kept: Rectangle[] = [];
  for (const one of rectangles) {
    let joined = one;
    for (let at = 0; at < kept.length; ) {
      const other = kept[at];
      if (other === undefined) break;
      const whole = enclose(joined, other);
      const isWorthIt = areaOf(whole) <= LOOSENESS * (areaOf(joined) + areaOf(other)) + overhead;
      if (!isWorthIt && kept.length < most) {
        at++;
        continue;
      }
      kept.splice(at, 1);
      joined = whole;
      // What was too far from a part may be near to the whole.
      at = 0;
    }
    kept.push(joined);
  }
  return kept;
}
