/**
 * What is copied goes both ways between the session's display and the one that shows it to an NX client, as long as that is
 * there: nxagent knows the clipboard of its own display and of its client, not of the one that it looks at.
 */

import type { Log } from "../../lib/log.ts";
import type { LaunchInput } from "../session/launch.ts";
import { Clipboard } from "./clipboard.ts";
import { DISPLAY, type DisplayPrograms } from "./programs.ts";

export type ShadowClipboardDeps = {
  readonly programs: Pick<DisplayPrograms, "readClipboard" | "writeClipboard">;
  /** The one that shows the session's. */
  readonly display: string;
  readonly log: Log;
  readonly everyMs?: number;
};

export class ShadowClipboard {
  readonly #deps: ShadowClipboardDeps;
  #sides: readonly Clipboard[] = [];

  constructor(deps: ShadowClipboardDeps) {
    this.#deps = deps;
  }

  /** Undefined while no client is there. May be called with what is known already. */
  follow(user: LaunchInput | undefined): void {
    if ((user !== undefined) === this.#sides.length > 0) return;
    for (const side of this.#sides) side.share(false);
    this.#sides = user === undefined ? [] : this.#open(user);
    for (const side of this.#sides) side.share(true);
  }

  #open(user: LaunchInput): readonly Clipboard[] {
    const { programs, display, log, everyMs } = this.#deps;
    const sideOf = (place: string, other: () => Clipboard): Clipboard =>
      new Clipboard({
        read: () => programs.readClipboard(user, place),
        write: (text) => programs.writeClipboard(user, text, place),
        tell: (text) => other().set(text),
        log,
        ...(everyMs === undefined ? {} : { everyMs }),
      });
    const session: Clipboard = sideOf(DISPLAY, () => shadow);
    const shadow: Clipboard = sideOf(display, () => session);
    return [session, shadow];
  }
}
