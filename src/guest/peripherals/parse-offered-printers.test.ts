import { expect, test } from "bun:test";
import { parseOfferedPrinters } from "./parse-offered-printers.ts";

const CASES: readonly (readonly [string, unknown, readonly (readonly [string, string, boolean])[]])[] = [
  ["none", { Printers: [] }, []],
  [
    "several, one of them the usual one",
    {
      Printers: [
        { qvd_id: "hp", name: "HP in the hall", color: 1 },
        { qvd_id: 7, name: "Büro", default: 1, duplex: 1 },
      ],
    },
    [
      ["hp", "HP in the hall", false],
      ["7", "Büro", true],
    ],
  ],
  ["one without a name", { Printers: [{ qvd_id: "hp" }] }, [["hp", "hp", false]]],
  ["one named by control characters", { Printers: [{ qvd_id: "hp", name: "a\nb" }] }, [["hp", "hp", false]]],
  [
    "ids that are no part of an address, or are there already",
    {
      Printers: [
        { qvd_id: "../x" },
        { qvd_id: "" },
        { qvd_id: "a b" },
        { qvd_id: "-a" },
        {},
        3,
        { qvd_id: "a" },
        { qvd_id: "a" },
      ],
    },
    [["a", "a", false]],
  ],
  ["no list", { Printers: {} }, []],
  ["no object", [{ qvd_id: "a" }], []],
];

test.each(CASES)("printers of the Perl client: %s", (_name, answer, printers) => {
  const wanted = printers.map(([id, title, isStandard]) => ({ id, title, isStandard }));
  expect(parseOfferedPrinters(JSON.stringify(answer))).toEqual(wanted);
});

test("printers of the Perl client: its failure, and what is no JSON, are none", () => {
  for (const text of ['"",\n"no printers here"\n', "", "{", "null"])
    expect(parseOfferedPrinters(text)).toEqual([]);
});

test("printers of the Perl client: no more than fifty", () => {
  const Printers = Array.from({ length: 80 }, (_, at) => ({ qvd_id: `p${at}` }));
  expect(parseOfferedPrinters(JSON.stringify({ Printers })).length).toBe(50);
});
