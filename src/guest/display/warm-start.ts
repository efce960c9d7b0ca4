/**
 * A first client for nxagent, which has no display before it has served one: nxproxy on an Xvfb of the wanted size,
 * both gone as soon as nxagent is suspended with nobody at its other end. Measured: 0.5 s from nothing to suspended.
 */

import { sleep } from "../../lib/wait.ts";
import type { ScreenSize } from "../../wire/display/control.ts";
import type { LaunchInput } from "../session/launch.ts";
import type { XSession } from "../session/x-session.ts";
import type { DisplayPrograms } from "./programs.ts";

export type WarmStart = {
  readonly programs: DisplayPrograms;
  readonly user: LaunchInput;
  readonly size: ScreenSize;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
};

/** Of a session that listens; undefined when it is suspended afterwards, else what went wrong. */
export async function warmStart(x: XSession, options: WarmStart): Promise<string | undefined> {
  const { programs, user, size, timeoutMs, signal } = options;
  const screen = tryStart(() => programs.openScreen(user, size));
  if (screen === undefined) return "the image has no Xvfb, which a browser's first visit needs";
  try {
    const late = sleep(timeoutMs, signal).then(() => "late" as const);
    const display = await Promise.race([screen.display, late]);
    if (display === "late") return `Xvfb was not ready after ${timeoutMs / 1000} s`;
    if (display === undefined) return "Xvfb ended at its start; the image may lack it";
    const visitor = tryStart(() => programs.visit(user, display));
    if (visitor === undefined) return "the image has no nxproxy, which a browser's first visit needs";
    try {
      const hasComeOrGone = await x.waitUntil((state) => state !== "listening", timeoutMs, signal);
      if (!hasComeOrGone) return "nxagent did not take its first client";
      await x.waitUntil((state) => state === "connected" || state === "none", timeoutMs, signal);
    } finally {
      // A client that is cut off lets nxagent suspend in 0.2 s; a SIGHUP takes one second, later six.
      visitor.kill();
    }
    const isSuspended = await x.waitUntil((state) => state === "suspended", timeoutMs, signal);
    return isSuspended ? undefined : "nxagent did not suspend after its first client";
  } finally {
    screen.child.kill();
  }
}

function tryStart<T>(start: () => T): T | undefined {
  try {
    return start();
  } catch {
    // Bun throws where there is no such program; the caller says which.
    return undefined;
  }
}
