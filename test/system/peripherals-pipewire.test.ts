/** Sound of a desktop whose image has PipeWire, as Debian 12 has it, and no PulseAudio but its tools. */

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { buildPipewireRoot } from "../support/pipewire-root.ts";
import { ChannelsLab } from "./channels-lab.ts";

const PLACE = { instance: "pwrlab", network: "172.29.31", screen: ":91" };
const PORTS = { media: 27_231, cups: 27_232, slave: 27_233 };
const BOTH_WAYS = { "qvd.client.audio.sound.enable": "1", "qvd.client.audio.microphone.enable": "1" };
const PARTS = "ps -o user=,comm= -C pipewire,wireplumber,pipewire-pulse | sort";

setDefaultTimeout(300_000);

let lab: ChannelsLab;

beforeAll(async () => {
  lab = await ChannelsLab.open(PLACE, PORTS, await buildPipewireRoot());
}, 660_000);

afterAll(async () => {
  await lab?.stop();
}, 180_000);

// The tests are the chapters of one session, in this order.
describe("a desktop with PipeWire", () => {
  test("has a tone recorded at the client", async () => {
    await lab.connect(BOTH_WAYS, ["media"]);
    expect(await lab.awaitInside("pactl get-default-sink", /qvd_client/)).toBe("qvd_client");
    await lab.playTone();
    expect(await lab.isHeard(400)).toBe(true);
    expect(await lab.asUser("pactl info")).toContain("PulseAudio (on PipeWire");
  });

  test("records the client's microphone", async () => {
    expect(await lab.awaitInside("pactl get-default-source", /qvd_microphone/)).toBe("qvd_microphone");
    expect(await lab.isHeardInside("qvd_microphone", 880)).toBe(true);
  });

  test("runs all of it as the session's user", async () => {
    expect((await lab.desktop.inside(PARTS)).split("\n").map((line) => line.split(/ +/))).toEqual([
      ["bea", "pipewire"],
      ["bea", "pipewire-pulse"],
      ["bea", "wireplumber"],
    ]);
    expect(lab.failures).toEqual([]);
  });

  test("plays on into silence without the client, and is heard again by the next", async () => {
    await lab.leave();
    expect(await lab.awaitInside("pactl get-default-sink", /silence/)).toBe("qvd_silence");
    expect(await lab.awaitInside("pactl list short sink-inputs | wc -l", /^1$/)).toBe("1");
    await lab.connect(BOTH_WAYS, ["media"]);
    expect(await lab.isHeard(400)).toBe(true);
    expect(lab.failures).toEqual([]);
    await lab.leave();
  });

  test.each([
    ["the end of pipewire", "pkill -KILL -x pipewire"],
    ["the end of wireplumber", "pkill -KILL -x wireplumber"],
    ["the end of pipewire-pulse", "pkill -KILL -x pipewire-pulse"],
    ["pipewire-pulse stood still", "pkill -STOP -x pipewire-pulse"],
    [
      "pipewire-pulse stood still and pipewire ended",
      "pkill -STOP -x pipewire-pulse; pkill -KILL -x pipewire",
    ],
  ])("has its sound again after %s", async (_what, harm) => {
    await lab.desktop.inside(harm);
    await lab.connect(BOTH_WAYS, ["media"]);
    expect(await lab.awaitInside("pactl get-default-sink", /qvd_client/)).toBe("qvd_client");
    expect(await lab.awaitInside(`${PARTS} | wc -l`, /^3$/)).toBe("3");
    await lab.asUser("pkill pacat");
    await lab.playTone();
    expect(await lab.isHeard(400)).toBe(true);
    expect(lab.failures).toEqual([]);
    await lab.leave();
  });

  test("tells the trail of a client that plays nowhere, and the session goes on", async () => {
    await lab.connect(BOTH_WAYS, []);
    await lab.awaitFailure();
    expect(lab.failures[0]?.text).toContain("the client's PulseAudio does not answer");
    expect(lab.xState).toBe("connected");
    await lab.leave();
  });

  test("tells the trail what the image lacks", async () => {
    await lab.desktop.inside("pkill -x wireplumber; mv /usr/bin/wireplumber /usr/bin/hidden");
    await lab.connect(BOTH_WAYS, ["media"]);
    await lab.awaitFailure();
    expect(lab.failures[0]?.text).toContain("nothing that joins its streams");
    await lab.leave();
    await lab.desktop.inside("mv /usr/bin/hidden /usr/bin/wireplumber");
  });

  test("ends all of it with the session", async () => {
    await lab.connect(BOTH_WAYS, ["media"]);
    expect(await lab.awaitInside("pactl get-default-sink", /qvd_client/)).toBe("qvd_client");
    expect(await lab.awaitInside("pactl get-default-source", /qvd_microphone/)).toBe("qvd_microphone");
    await lab.desktop.inside("pkill -x nxagent");
    expect(await lab.awaitInside(`${PARTS} | wc -l`, /^0$/)).toBe("0");
  });
});
