import { describe, expect, test } from "bun:test";
import type { DesktopRow } from "../../../db/queries/desktops.ts";
import type { NodeRow } from "../../../db/queries/nodes.ts";
import { listTroubles } from "./troubles.ts";

/** Only what the rules look at. */
const node = (facts: object): NodeRow =>
  ({
    id: 1,
    name: "box1",
    state: "running",
    isLeaseValid: true,
    isBlocked: false,
    facts,
  }) as unknown as NodeRow;
const desktop = (name: string, fault: string | null): DesktopRow =>
  ({ id: 7, name, fault, state: "stopped" }) as unknown as DesktopRow;

describe("what needs attention", () => {
  test("is nothing where all is well", () => {
    const looked = { nodes: [node({ problems: [], workers: [] })], desktops: [], images: [], isSite: true };
    expect(listTroubles(looked)).toEqual([]);
  });

  test("names a desktop that could not start once, with the way to its page", () => {
    const facts = {
      workers: [],
      problems: [
        { text: "Desktops that could not be started: ann-desk.", advice: "Look.", isOfDesktops: true },
        { text: "Only 3 MB are free.", advice: "Make room." },
      ],
    };
    const looked = {
      nodes: [node(facts)],
      desktops: [desktop("ann-desk", "No image."), desktop("well", null)],
      images: [],
      isSite: true,
    };
    expect(listTroubles(looked).map(({ title, href }) => [title, href])).toEqual([
      ["Only 3 MB are free.", "/nodes#node-1"],
      ["Desktop ann-desk", "/desktops/7"],
    ]);
  });

  test("says that there is no node to administrators of the site alone", () => {
    const nothing = { nodes: [], desktops: [], images: [] };
    expect(listTroubles({ ...nothing, isSite: true })[0]?.title).toBe("There is no node");
    expect(listTroubles({ ...nothing, isSite: false })).toEqual([]);
  });
});
