import { expect, test } from "bun:test";
import { parseShares } from "./parse-shares.ts";

test("reads the printers that a PC shares, and nothing else of its shares", () => {
  const text = `Disk|C$|Default share
IPC|IPC$|Remote IPC
Printer|Office|Laser on the first floor
Printer|print$|Drivers
Printer|Büro 2|
SMB1 disabled -- no workgroup available
`;
  expect(parseShares(text)).toEqual([
    { name: "Office", share: "Office", title: "Office" },
    { name: "B_ro_2", share: "Büro 2", title: "Büro 2" },
  ]);
});

test("gives two that would be one queue names of their own", () => {
  expect(parseShares("Printer|a b|\nPrinter|a_b|\nPrinter|a:b|\n").map(({ name }) => name)).toEqual([
    "a_b",
    "a_b-2",
    "a_b-3",
  ]);
});

test("leaves out what is no name of a share, and all beyond fifty", () => {
  expect(
    parseShares(`Printer|a/b|\nPrinter|a\\b|\nPrinter|a\tb|\nPrinter|${"x".repeat(81)}|\nPrinter||\n`),
  ).toEqual([]);
  const many = Array.from({ length: 80 }, (_, at) => `Printer|p${at}|\n`).join("");
  expect(parseShares(many)).toHaveLength(50);
});
