import { describe, expect, test } from "bun:test";
import { parseVmaConf } from "./parse-vma-conf.ts";

const read = (text: string) => Object.fromEntries(parseVmaConf(text));

describe("an image's vma.conf", () => {
  const cases: readonly [string, string, Record<string, string>][] = [
    [
      "names a program for each moment, by QVD 4's keys",
      "vma.on_action.pre-connect = /opt/pre\nvma.on_state.connected=/opt/connected\nvma.on_provisioning.add_user: /opt/add\n",
      { "pre-connect": "/opt/pre", connected: "/opt/connected", add_user: "/opt/add" },
    ],
    ["is nothing when empty", "", {}],
    ["has other keys, which are not ours", "vma.audio.enable = 1\nlog.level = DEBUG\n", {}],
    ["has comments", "# vma.on_action.stop = /a\n ! vma.on_action.stop = /b\n", {}],
    ["has none where the value is empty", "vma.on_action.stop =\nvma.on_action.connect\n", {}],
    [
      "says a thing twice, and the last counts",
      "vma.on_action.stop=/a\nvma.on_action.stop=/b\n",
      { stop: "/b" },
    ],
    ["goes over several lines", "vma.on_action.stop = /opt/\\\n    long/name\n", { stop: "/opt/long/name" }],
    [
      "comes from Windows",
      "vma.on_action.stop = /a b/c \r\nvma.on_action.expire=/e\r\n",
      { stop: "/a b/c", expire: "/e" },
    ],
    [
      "confuses state and action of one name with none",
      "vma.on_action.connected=/a\nvma.on_state.connect=/b\n",
      {},
    ],
    ["never has an action that QVD 4 declared and didn't call", "vma.on_action.disconnect=/a\n", {}],
  ];
  for (const [rule, text, expected] of cases) test(rule, () => expect(read(text)).toEqual(expected));
});
