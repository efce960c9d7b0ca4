import { expect, test } from "bun:test";
import { planSound } from "./plan-sound.ts";

const CLIENT = { keyboard: "pc105/us", os: "linux", link: "lan", geometry: "800x600", isFullscreen: false };
const SOUND = "qvd.client.audio.sound.enable";
const MICROPHONE = "qvd.client.audio.microphone.enable";

const CASES = [
  [undefined, { playback: "ask", microphone: "ask" }],
  [{}, { playback: "ask", microphone: "ask" }],
  [
    { [SOUND]: "1", [MICROPHONE]: "1" },
    { playback: "on", microphone: "ask" },
  ],
  [
    { [SOUND]: "0", [MICROPHONE]: "0" },
    { playback: "never", microphone: "never" },
  ],
] as const;

for (const [given, expected] of CASES)
  test(`${JSON.stringify(given)} plans ${JSON.stringify(expected)}`, () =>
    expect(planSound({ ...CLIENT, given })).toEqual(expected));
