/** Sound and microphone of a session whose line is lost for a while, and comes back before the session is suspended. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { buildPeripheralsRoot } from "../support/peripherals-root.ts";
import { ChannelsLab } from "./channels-lab.ts";

const PLACE = { instance: "perstl", network: "172.29.77", screen: ":85" };
const PORTS = { media: 27_241, cups: 27_242, slave: 27_243 };
const WANTED = { "qvd.client.audio.sound.enable": "1", "qvd.client.audio.microphone.enable": "1" };
/** PulseAudio asks every ten seconds, waits five, and is looked at every fifteen. */
const LOST_MS = 60_000;

let lab: ChannelsLab;

beforeAll(async () => {
  lab = await ChannelsLab.open(PLACE, PORTS, await buildPeripheralsRoot());
}, 660_000);

afterAll(async () => {
  await lab?.stop();
}, 180_000);

test("are there again when the line is", async () => {
  await lab.connect(WANTED, ["media", "cups", "slave"]);
  expect(await lab.awaitInside("pactl get-default-source", /microphone/, LOST_MS)).toBe("qvd_microphone");
  await lab.playTone();
  expect(await lab.isHeard(400)).toBe(true);
  lab.halt();
  expect(await lab.awaitInside("pactl get-default-sink", /silence/, LOST_MS)).toContain("qvd_silence");
  lab.goOn();
  expect(lab.xState).toBe("connected");
  expect(await lab.awaitInside("pactl get-default-source", /microphone/, LOST_MS)).toBe("qvd_microphone");
  expect(await lab.isHeard(400)).toBe(true);
  expect(await lab.isHeardInside("qvd_microphone", 880)).toBe(true);
  expect(lab.failures).toEqual([]);
}, 300_000);
