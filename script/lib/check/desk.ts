/** A person's hands at the client's screen: sees colours, clicks and types through xdotool, on the client's side only. */

import { parseColour, type Screen } from "../../../bench/screen.ts";
import { run, runOk } from "../../../src/lib/run.ts";
import { sleep, waitFor } from "../../../src/lib/wait.ts";

/** Where the image's panel has its terminal, from the left and the lower edge of the session. */
const TERMINAL_LAUNCHER = { fromLeft: 149, fromBottom: 20 };
/** The terminal's background in the image. */
const TERMINAL_COLOUR = "#1b1f27";
const PANEL_COLOUR = "#161f2a";
const SESSION_HEIGHT = 768;
const CLICK_TRIES = 4;

export class Desk {
  readonly #screen: Screen;

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  /** Waits until the colour covers that share of the screen; returns when that was seen, by performance.now(). */
  async see(colour: string, share: number, timeoutMs: number): Promise<number> {
    const wanted = parseColour(colour);
    const seenAt = await waitFor(
      async () => (await this.#screen.readCover(wanted)) >= share && performance.now(),
      { timeoutMs, everyMs: 20 },
    );
    if (seenAt !== undefined) return seenAt;
    const cover = await this.#screen.readCover(wanted);
    throw new Error(
      `${colour} covers ${(cover * 100).toFixed(1)} % of the screen after ${timeoutMs / 1000} s, not ${share * 100} %`,
    );
  }

  /** A click can come before the panel listens, so it is repeated like a person would. */
  async openTerminal(): Promise<void> {
    await this.see(PANEL_COLOUR, 0.015, 60_000);
    await sleep(300);
    for (let tries = 1; ; tries++) {
      const { x, y } = await this.#findSession();
      await this.#click(x + TERMINAL_LAUNCHER.fromLeft, y + SESSION_HEIGHT - TERMINAL_LAUNCHER.fromBottom);
      try {
        await this.see(TERMINAL_COLOUR, 0.1, 10_000);
        await sleep(300);
        return;
      } catch (error) {
        if (tries === CLICK_TRIES) throw error;
      }
    }
  }

  /** A line and Enter, into the window that has the focus. */
  async type(line: string): Promise<void> {
    await this.#xdotool("type", "--delay", "12", line);
    await this.#xdotool("key", "Return");
  }

  /** A picture of the whole screen, for people. */
  async photograph(path: string): Promise<void> {
    const command = 'xwd -root -silent | convert xwd:- "$0"';
    await run(["sh", "-c", command, path], { env: { ...this.#screen.env } });
  }

  async #click(x: number, y: number): Promise<void> {
    // Without the pauses nxagent loses one of the events now and then.
    await this.#xdotool(
      "mousemove",
      String(x),
      String(y),
      "sleep",
      "0.2",
      "mousedown",
      "1",
      "sleep",
      "0.1",
      "mouseup",
      "1",
    );
  }

  /** By xwininfo: xdotool adds the window manager's frame twice. */
  async #findSession(): Promise<{ readonly x: number; readonly y: number }> {
    const [id = ""] = (await this.#xdotool("search", "--onlyvisible", "--name", "^QVD")).split("\n");
    const text = await this.#program("xwininfo", "-id", id);
    const read = (axis: string) =>
      Number(new RegExp(`Absolute upper-left ${axis}: +(-?\\d+)`).exec(text)?.[1]);
    return { x: read("X"), y: read("Y") };
  }

  #xdotool(...words: readonly string[]): Promise<string> {
    return this.#program("xdotool", ...words);
  }

  #program(...command: readonly string[]): Promise<string> {
    return runOk("use the client's screen", command, { env: { ...this.#screen.env }, timeoutMs: 60_000 });
  }
}
