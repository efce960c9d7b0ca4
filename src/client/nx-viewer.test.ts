import { expect, test } from "bun:test";
import { nxproxyCommand } from "./nx-viewer.ts";

test("nxproxy is given the screen alone: no sound, printers, folders or anything else", () => {
  expect(nxproxyCommand("/tmp/x/nx", "lan")).toEqual([
    "nxproxy",
    "-S",
    "nx/nx,link=lan,connect=unix:/tmp/x/nx:0",
  ]);
});
