import { expect, test } from "bun:test";
import { parseModules } from "./parse-modules.ts";
import { parseQueues } from "./parse-queues.ts";

test("reads a client's printers, and which is the usual one", () => {
  const text = `desk accepting requests since Sat Nov 21 22:25:54 2026
hall not accepting requests since Sat Nov 21 22:25:54 2026 -
	reason unknown
system default destination: desk
`;
  expect(parseQueues(text)).toEqual({ names: ["desk", "hall"], standard: "desk" });
});

test("leaves out what is no printer's name, and a usual one that isn't there", () => {
  const text =
    "-x accepting requests\na/b accepting requests\nok accepting requests\nsystem default destination: -x\n";
  expect(parseQueues(text)).toEqual({ names: ["ok"], standard: undefined });
  expect(parseQueues("lpstat: No destinations added.")).toEqual({ names: [], standard: undefined });
});

test("offers no more than fifty", () => {
  const text = Array.from({ length: 80 }, (_, at) => `p${at} accepting requests\n`).join("");
  expect(parseQueues(text).names).toHaveLength(50);
});

test("reads the modules of a sound server", () => {
  const text =
    "0\tmodule-native-protocol-unix\t\t\n7\tmodule-tunnel-sink\tsink_name=qvd_client server=x\t\nodd\n";
  expect(parseModules(text)).toEqual([
    { id: "0", words: [""] },
    { id: "7", words: ["sink_name=qvd_client", "server=x"] },
  ]);
});
