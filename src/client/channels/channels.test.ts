import { describe, expect, test } from "bun:test";
import { channelParameters, NO_CHANNELS, openChannels } from "./channels.ts";

const NONE = {
  "qvd.client.printing.enabled": "0",
  "qvd.client.usb.enabled": "0",
  "qvd.client.audio.sound.enable": "0",
  "qvd.client.audio.microphone.enable": "0",
  "qvd.client.slave.enable": "0",
};
const sound = { socketPath: "/run/user/1/pulse/native", hasMicrophone: false };
const share = { path: "/home/ann/papers", isReadOnly: false };

describe("what the broker is told", () => {
  test("that there is nothing, of each channel by its name", () => {
    expect(channelParameters(NO_CHANNELS)).toEqual(NONE);
  });

  test("what was asked for, and no more", () => {
    expect(channelParameters({ sound, shares: [] })).toEqual({
      ...NONE,
      "qvd.client.audio.sound.enable": "1",
    });
    expect(channelParameters({ shares: [share] })).toEqual({ ...NONE, "qvd.client.slave.enable": "1" });
    expect(channelParameters({ sound: { ...sound, hasMicrophone: true }, shares: [] })).toEqual({
      ...NONE,
      "qvd.client.audio.sound.enable": "1",
      "qvd.client.audio.microphone.enable": "1",
    });
    expect(channelParameters({ printing: { host: "cups", port: 631 }, shares: [] })).toEqual({
      ...NONE,
      "qvd.client.printing.enabled": "1",
      "qvd.client.printing.flavor": "ipp",
    });
  });
});

describe("what nxproxy is told", () => {
  const open = (wish: Parameters<typeof openChannels>[0]) =>
    openChannels(wish, { folder: "/run/view", say: () => {} });

  test("nothing of what wasn't asked for", async () => {
    const channels = await open(NO_CHANNELS);
    expect(channels.words).toEqual([]);
    channels.close();
  });

  test("a port for sound and printers, and a socket that only this user reaches for folders", async () => {
    const channels = await open({ sound, printing: { host: "cups", port: 631 }, shares: [share] });
    const [media, cups, slave] = channels.words;
    expect(media).toMatch(/^media=\d{4,5}$/);
    expect(cups).toMatch(/^cups=\d{4,5}$/);
    expect(slave).toBe("slave=unix:/run/view/slave");
    channels.close();
  });
});
