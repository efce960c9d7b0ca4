/** Windows and pictures on an X server: just what the scenes of a benchmark draw. Windows are their own managers. */

import { fields, X11Connection } from "./connection.ts";

export type Box = { readonly x: number; readonly y: number; readonly width: number; readonly height: number };

const KEY_PRESS_MASK = 1;
const EXPOSURE_MASK = 1 << 15;
const EXPOSE = 12;
export const KEY_PRESS = 2;

export class Painter {
  readonly x11: X11Connection;
  readonly #gc: number;

  private constructor(x11: X11Connection, gc: number) {
    this.x11 = x11;
    this.#gc = gc;
  }

  static async open(path: string): Promise<Painter> {
    const x11 = await X11Connection.open(path);
    const gc = x11.newId();
    // Copies that have nothing to copy from would otherwise be told of in an event each.
    x11.send(55, 0, fields([4, gc], [4, x11.root.window], [4, 1 << 16], [4, 0]));
    await x11.allowBigRequests();
    return new Painter(x11, gc);
  }

  /** A window above all others, without a frame. */
  openWindow({ x, y, width, height }: Box, eventMask = 0): number {
    const { x11 } = this;
    const window = x11.newId();
    const [back, override, events] = [1 << 1, 1 << 9, 1 << 11];
    const place = fields([2, x], [2, y], [2, width], [2, height], [2, 0], [2, 1], [4, 0]);
    const values = fields([4, back | override | events], [4, 0], [4, 1], [4, eventMask]);
    x11.send(1, x11.depth, Buffer.concat([fields([4, window], [4, x11.root.window]), place, values]));
    x11.send(8, 0, fields([4, window]));
    return window;
  }

  /** A window that takes the keyboard. */
  openForKeys(box: Box): number {
    const window = this.openWindow(box, KEY_PRESS_MASK);
    this.x11.send(42, 1, fields([4, window], [4, 0]));
    return window;
  }

  /** Pixels of 32 bits, blue first. */
  putImage(window: number, { x, y, width, height }: Box, pixels: Uint8Array): void {
    const head = fields(
      [4, window],
      [4, this.#gc],
      [2, width],
      [2, height],
      [2, x],
      [2, y],
      [1, 0],
      [1, 24],
      [2, 0],
    );
    this.x11.send(72, 2, Buffer.concat([head, pixels]));
  }

  /**
   * A window that shows a picture, and again wherever it is uncovered, as programs do. The picture is kept by the server.
   */
  openPicture(box: Box, pixels: Uint8Array): number {
    const { x11 } = this;
    const { width, height } = box;
    const picture = x11.newId();
    x11.send(53, x11.depth, fields([4, picture], [4, x11.root.window], [2, width], [2, height]));
    this.putImage(picture, { x: 0, y: 0, width, height }, pixels);
    const window = this.openWindow(box, EXPOSURE_MASK);
    x11.onEvent((event) => {
      if ((event[0] ?? 0) % 128 !== EXPOSE || event.readUInt32LE(4) !== window) return;
      const [x, y, wide, high] = [8, 10, 12, 14].map((at) => event.readUInt16LE(at));
      const area = { x: x ?? 0, y: y ?? 0, width: wide ?? 0, height: high ?? 0 };
      this.copyArea({ from: picture, to: window }, area, area);
    });
    return window;
  }

  copyArea(
    between: { readonly from: number; readonly to: number },
    area: Box,
    to: { readonly x: number; readonly y: number },
  ): void {
    const { x, y, width, height } = area;
    const ends = fields([2, x], [2, y], [2, to.x], [2, to.y], [2, width], [2, height]);
    this.x11.send(62, 0, Buffer.concat([fields([4, between.from], [4, between.to], [4, this.#gc]), ends]));
  }

  move(window: number, to: { readonly x: number; readonly y: number }): void {
    this.x11.send(12, 0, fields([4, window], [2, 3], [2, 0], [4, to.x], [4, to.y]));
  }

  /** Resolves when the server has done all that was sent. */
  async sync(): Promise<void> {
    await this.x11.ask(43, 0, Buffer.alloc(0));
  }
}
