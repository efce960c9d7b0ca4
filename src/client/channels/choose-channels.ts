/**
 * What a person asked for beside the screen, tried before anything is sent: whoever asks for sound learns that there is no sound
 * server now, and not by a silent desktop.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ChannelWish } from "./channels.ts";
import { findPrintServer } from "./print-door.ts";
import { parseShare, requireJail, type Share } from "./share-jail.ts";
import { findSoundServer } from "./sound-door.ts";

export type ChannelChoice = {
  readonly sound: boolean;
  /** Brings the loudspeaker, too. */
  readonly microphone: boolean;
  readonly print: boolean;
  readonly share?: string | undefined;
  readonly shareReadOnly?: string | undefined;
};

/** Throws what keeps this PC from it, as `driver-failed` or `bad-input`. */
export async function chooseChannels(
  choice: ChannelChoice,
  env: Readonly<Record<string, string | undefined>>,
): Promise<ChannelWish> {
  const { sound, microphone, print, share, shareReadOnly } = choice;
  const home = env.HOME === undefined ? {} : { home: env.HOME };
  const shares: Share[] = [
    ...(share === undefined ? [] : [parseShare(share, { isReadOnly: false, ...home })]),
    ...(shareReadOnly === undefined ? [] : [parseShare(shareReadOnly, { isReadOnly: true, ...home })]),
  ];
  await tryJails(shares);
  return {
    sound: sound || microphone ? { socketPath: findSoundServer(env), hasMicrophone: microphone } : undefined,
    printing: print ? findPrintServer(env) : undefined,
    shares,
  };
}

async function tryJails(shares: readonly Share[]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "qvd-share-"));
  try {
    for (const share of shares) await requireJail(share, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
