import { describe, expect, test } from "bun:test";
import type { ClientParameters } from "../../domain/session/client-parameters.ts";
import { channelOptions, planChannels } from "./plan-channels.ts";

const BASIC = { keyboard: "pc105/us", os: "linux", link: "lan", geometry: "800x600", isFullscreen: false };

function plan(given: Readonly<Record<string, string>>, os = "linux") {
  const client: ClientParameters = {
    ...BASIC,
    os,
    given: Object.fromEntries(Object.entries(given).map(([name, value]) => [`qvd.client.${name}`, value])),
  };
  return planChannels(client);
}

describe("planChannels", () => {
  for (const [given, sound] of [
    [{}, "off"],
    [{ "audio.sound.enable": "0", "audio.compression.enable": "1" }, "off"],
    [{ "audio.sound.enable": "1" }, "playback"],
    [{ "audio.sound.enable": "1", "audio.microphone.enable": "1" }, "both-ways"],
    [{ "audio.compression.enable": "0" }, "playback"],
  ] as const)
    test(`${JSON.stringify(given)} has sound ${sound}`, () => {
      expect(plan(given).sound).toBe(sound);
    });

  for (const [given, os, printing] of [
    [{}, "linux", "off"],
    [{ "printing.enabled": "0" }, "linux", "off"],
    [{ "printing.enabled": "1" }, "linux", "cups"],
    [{ "printing.enabled": "1" }, "windows", "smb"],
    [{ "printing.enabled": "1", "printing.flavor": "cifs" }, "linux", "smb"],
    [{ "printing.enabled": "1", "printing.flavor": "ipp" }, "windows", "cups"],
    [{ "printing.enabled": "1", "printing.flavor": "slave4" }, "windows", "slave"],
    [{ "printing.enabled": "1", "printing.flavor": "slave4", "slave.enable": "0" }, "windows", "unserved"],
    [{ "printing.enabled": "1", "printing.flavor": "other" }, "linux", "unserved"],
  ] as const)
    test(`${JSON.stringify(given)} of ${os} has printing ${printing}`, () => {
      expect(plan(given, os).printing).toBe(printing);
    });

  test("waits for shared folders unless it is told off", () => {
    expect(plan({}).isSharing).toBe(true);
    expect(plan({ "slave.enable": "0" }).isSharing).toBe(false);
  });
});

test("names in nxagent's options just what was planned", () => {
  expect(channelOptions(plan({ "slave.enable": "0" }))).toEqual([]);
  expect(channelOptions(plan({ "audio.sound.enable": "1", "printing.enabled": "1" }))).toEqual([
    ["media", "1"],
    ["cups", "2100"],
    ["slave", "1"],
  ]);
  expect(channelOptions(plan({ "printing.enabled": "1", "slave.enable": "0" }, "windows"))).toEqual([
    ["smb", "2100"],
  ]);
  const own = { "printing.enabled": "1", "printing.flavor": "slave4", "slave.enable": "0" };
  expect(channelOptions(plan(own, "windows"))).toEqual([]);
});
