import { expect, test } from "bun:test";
import { networkNames } from "../domain/node/network-names.ts";
import { plainPolicy } from "../domain/node/network-policy.ts";
import { parseNetworkRange } from "../domain/node/network-range.ts";
import { KeptRules } from "./kept-rules.ts";
import type { TalkResult } from "./netlink.ts";
import { PortMemory } from "./port-memory.ts";

const ENOENT = 2;
const NOTHING: TalkResult = { answers: [], errors: [ENOENT], acknowledged: 0, isTorn: false, isDone: true };

test("rules that were emptied while they were loaded are loaded again, on a box without desktops too", async () => {
  const range = parseNetworkRange("10.238.9.0/24");
  const names = networkNames("t");
  const netlink = { talk: async () => NOTHING };
  let loads = 0;
  const rules = new KeptRules(netlink, new PortMemory(netlink, names), {
    ...{ names, range, policy: plainPolicy(range), resolvers: [] },
    load: async () => void loads++,
  });
  // What nobody has ever loaded is missed by nobody.
  expect(await rules.mend()).toBe(false);
  await expect(rules.load()).rejects.toThrow("another program changes them at the same time");
  await expect(rules.mend()).rejects.toThrow("another program changes them at the same time");
  expect(loads).toBe(2);
});
