/**
 * What a broker says while a client waits, as a person may read it. Its texts are QVD 4's, which other clients know by heart;
 * one that isn't known here is shown as it is.
 */

const WORDS: readonly (readonly [pattern: RegExp, words: string])[] = [
  [/^Aborting contending session /, "the desktop was open elsewhere; that session is ended"],
  [/^Session acquired /, "the desktop is yours"],
  [/^Assigning VM \d+ to host$/, "a place for the desktop is looked for"],
  [/^Starting virtual machine$/, "the desktop starts"],
  [/^Waiting for VM to reach state 'running'$/, "waiting for the desktop"],
  [/^(Starting|Waiting for) X session /, "the desktop runs; its session is prepared"],
  [/^Connecting X session /, "connecting"],
  [/^Connection established$/, "connecting"],
];
const QUEUE = /^Waiting for VM to reach state 'running': number (\d+) in the queue(?:, about (\d+ \w+))?$/;

export type Progress = {
  readonly text: string;
  /** Of two with the same one the second is no news, such as a queue's remaining seconds. */
  readonly news: string;
};

export function describeProgress(said: string): Progress {
  const [, position, left] = QUEUE.exec(said) ?? [];
  if (position !== undefined) {
    const place = `number ${position} of the desktops that wait for their start`;
    return { text: left === undefined ? place : `${place}, about ${left}`, news: place };
  }
  const text = WORDS.find(([pattern]) => pattern.test(said))?.[1] ?? said;
  return { text, news: text };
}
