/** A client's screen: Xvfb with a window manager, and the share of it that shows a colour. */

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CLEAN_ENV, runOk } from "../src/lib/run.ts";
import { waitFor } from "../src/lib/wait.ts";
import { startWindowManager } from "./window-manager.ts";

export type Screen = {
  readonly display: string;
  /** Environment of programs that show themselves on it. */
  readonly env: Readonly<Record<string, string>>;
  /** Share of the screen that shows exactly this colour, 0 to 1. */
  readCover(colour: Colour): Promise<number>;
  close(): Promise<void>;
};

export type Colour = { readonly red: number; readonly green: number; readonly blue: number };

export function parseColour(text: string): Colour {
  const [, red, green, blue] = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(text) ?? [];
  if (red === undefined || green === undefined || blue === undefined) {
    throw new Error(`${JSON.stringify(text)} is not a colour like #204080`);
  }
  return {
    red: Number.parseInt(red, 16),
    green: Number.parseInt(green, 16),
    blue: Number.parseInt(blue, 16),
  };
}

/**
 * Share of the pixels of an XWD dump that have exactly this colour. A pixel takes 32 bits, or 24 when windows of
 * several visuals are on the screen and xwd puts the picture together itself.
 */
export function coverOf(dump: Uint8Array, colour: Colour): number {
  const view = new DataView(dump.buffer, dump.byteOffset, dump.byteLength);
  const field = (index: number) => view.getUint32(index * 4);
  const [headerBytes, width, height, isBig] = [field(0), field(4), field(5), field(7) === 1];
  const [pixelBytes, bytesPerLine, colours] = [field(11) / 8, field(12), field(19)];
  if (pixelBytes !== 4 && pixelBytes !== 3) throw new Error(`the screen has ${pixelBytes * 8} bits a pixel`);
  const wanted = isBig ? [colour.red, colour.green, colour.blue] : [colour.blue, colour.green, colour.red];
  // Big-endian words of 32 bits begin with the byte that has no colour.
  const first = headerBytes + colours * 12 + (isBig && pixelBytes === 4 ? 1 : 0);
  let found = 0;
  for (let y = 0; y < height; y++) {
    let at = first + y * bytesPerLine;
    for (let x = 0; x < width; x++, at += pixelBytes) {
      if (dump[at] === wanted[0] && dump[at + 1] === wanted[1] && dump[at + 2] === wanted[2]) found++;
    }
  }
  return found / (width * height);
}

export async function openScreen(size = "1280x900"): Promise<Screen> {
  const home = mkdtempSync(join(tmpdir(), "qvd-screen-"));
  const numberFile = join(home, "display");
  const server = Bun.spawn(
    ["sh", "-c", `exec Xvfb -displayfd 3 -screen 0 ${size}x24 -nolisten tcp -noreset 3>${numberFile}`],
    { env: { ...CLEAN_ENV }, stdout: "ignore", stderr: "ignore" },
  );
  const number = await waitFor(() => readNumber(numberFile), { timeoutMs: 30_000 });
  if (number === undefined) throw new Error("Xvfb did not come up in 30 s");
  const display = `:${number}`;
  const env = { ...CLEAN_ENV, DISPLAY: display, HOME: home, NX_CLIENT: "/bin/false" };
  // A key that a machine which stands still holds down for long would come many times.
  await runOk("having keys come once", ["xset", "r", "off"], { env });
  // Without a window manager nxagent takes 75 % of the screen, whatever size was asked for.
  const manager = await startWindowManager(
    (command) => Bun.spawn([...command], { env, stdout: "ignore", stderr: "ignore" }),
    home,
  );
  return {
    display,
    env,
    readCover: async (colour) => {
      const dump = Bun.spawn(["xwd", "-root", "-silent"], { env, stdout: "pipe", stderr: "ignore" });
      const bytes = new Uint8Array(await new Response(dump.stdout).arrayBuffer());
      return bytes.length === 0 ? 0 : coverOf(bytes, colour);
    },
    close: async () => {
      manager.kill();
      server.kill();
      await Promise.all([manager.exited, server.exited]);
      rmSync(home, { recursive: true, force: true });
    },
  };
}

function readNumber(file: string): string | undefined {
  try {
    return /^\d+(?=\n)/.exec(readFileSync(file, "utf8"))?.[0];
  } catch {
    // Not written yet.
    return undefined;
  }
}
