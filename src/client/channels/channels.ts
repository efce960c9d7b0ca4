/**
 * The channels beside the screen's, each only when it was asked for: the doors behind which the PC's sound server and CUPS are,
 * opened before nxproxy starts, and the folders that are shared once it runs. They last as long as one view.
 */

import { join } from "node:path";
import { describeError } from "../../lib/errors.ts";
import { openPrintDoor, type PrintServer } from "./print-door.ts";
import { shareFolder } from "./share-folder.ts";
import type { Share } from "./share-jail.ts";
import { openSoundDoor } from "./sound-door.ts";

export type ChannelWish = {
  readonly sound?: { readonly socketPath: string; readonly hasMicrophone: boolean } | undefined;
  readonly printing?: PrintServer | undefined;
  readonly shares: readonly Share[];
};

export const NO_CHANNELS: ChannelWish = { shares: [] };

export type Channels = {
  /** For nxproxy's options. */
  readonly words: readonly string[];
  /** Offers the folders, with the key that came with the session; returns at once and says what became of each. */
  readonly share: (slaveKey: string) => void;
  readonly close: () => void;
};

/** What `connect_to_vm` is told of them. All is named: what a client doesn't mention, a desktop may guess. */
export function channelParameters({
  sound,
  printing,
  shares,
}: ChannelWish): Readonly<Record<string, string>> {
  const say = (isWanted: boolean) => (isWanted ? "1" : "0");
  return {
    "qvd.client.printing.enabled": say(printing !== undefined),
    ...(printing === undefined ? {} : { "qvd.client.printing.flavor": "ipp" }),
    "qvd.client.usb.enabled": "0",
    "qvd.client.audio.sound.enable": say(sound !== undefined),
    "qvd.client.audio.microphone.enable": say(sound?.hasMicrophone ?? false),
    "qvd.client.slave.enable": say(shares.length > 0),
  };
}

/** `folder` is this user's alone and outlives the channels, which are the caller's to close. */
export async function openChannels(
  wish: ChannelWish,
  { folder, say }: { readonly folder: string; readonly say: (text: string) => void },
): Promise<Channels> {
  const over = new AbortController();
  const closes: (() => void)[] = [() => over.abort(new Error("the view is over"))];
  const close = () => {
    for (const one of closes) one();
  };
  const words: string[] = [];
  try {
    if (wish.sound !== undefined) {
      const door = await openSoundDoor(wish.sound.socketPath, wish.sound.hasMicrophone);
      closes.push(door.close);
      words.push(`media=${door.port}`);
    }
    if (wish.printing !== undefined) {
      const door = await openPrintDoor(wish.printing);
      closes.push(door.close);
      words.push(`cups=${door.port}`);
    }
  } catch (error) {
    close();
    throw error;
  }
  const socketPath = join(folder, "slave");
  if (wish.shares.length > 0) words.push(`slave=unix:${socketPath}`);
  const share = async (slaveKey: string) => {
    for (const one of wish.shares)
      try {
        const name = await shareFolder({ share: one, socketPath, slaveKey, folder, signal: over.signal });
        say(`${one.path} is ~/Redirected/${name} in the desktop${one.isReadOnly ? ", to be read only" : ""}`);
      } catch (error) {
        if (!over.signal.aborted) say(`warning: ${describeError(error)}`);
      }
  };
  return { words, share: (slaveKey) => void share(slaveKey), close };
}
