import { describe, expect, test } from "bun:test";
import { asId, type DiId } from "../ids.ts";
import {
  LEAST_AGE_MS,
  parseArchiveName,
  planRubbish,
  type Rubbish,
  type RubbishFacts,
  UPLOAD_KEPT_MS,
} from "./plan-rubbish.ts";

const ids = (...numbers: number[]) => new Set(numbers.map((number) => asId<DiId>(number)));
const file = (name: string, ageMs = LEAST_AGE_MS) => ({ name, ageMs });
const base = (id: number, ageMs = LEAST_AGE_MS) => ({ diId: asId<DiId>(id), ageMs });
const gone = (...rows: [number, string | undefined][]) =>
  new Map(rows.map(([id, name]) => [asId<DiId>(id), name]));

/** Image 1 is there, image 2 was deleted. */
const FACTS: RubbishFacts = {
  archives: [],
  bases: [],
  incoming: [],
  known: ids(1),
  deleted: gone([2, "two.tar"]),
  awaited: new Set(),
  used: ids(),
};
const NOTHING: Rubbish = { archives: [], bases: [], incoming: [], strangers: [] };

describe("of an image", () => {
  const cases: readonly [rule: string, given: Partial<RubbishFacts>, then: Partial<Rubbish>][] = [
    ["that is there nothing goes", { archives: [file("1-one.tar")], bases: [base(1)] }, {}],
    [
      "that was deleted file and tree go",
      { archives: [file("2-two.tar")], bases: [base(2)] },
      { archives: ["2-two.tar"], bases: [asId<DiId>(2)] },
    ],
    [
      "that was deleted nothing goes while a desktop runs on it",
      { archives: [file("2-two.tar")], bases: [base(2)], used: ids(2) },
      {},
    ],
    [
      "that was deleted nothing goes that came a moment ago",
      { archives: [file("2-two.tar", LEAST_AGE_MS - 1)], bases: [base(2, 0)] },
      {},
    ],
    ["that was deleted only the file goes that it had", { archives: [file("2-other.tar")] }, {}],
    [
      "that was deleted before names were kept the file goes",
      { archives: [file("2-two.tar")], deleted: gone([2, undefined]) },
      { archives: ["2-two.tar"] },
    ],
    [
      "that is in the database nothing goes, whatever was noted of its deletion",
      { archives: [file("2-two.tar")], bases: [base(2)], known: ids(1, 2) },
      {},
    ],
    [
      "that the database has never heard of nothing goes, but it is told of once",
      { archives: [file("9-nine.tar"), file("7-seven.tar")], bases: [base(9)] },
      { strangers: [asId<DiId>(7), asId<DiId>(9)] },
    ],
    ["that came a moment ago nobody wonders", { archives: [file("9-nine.tar", 0)], bases: [base(9, 0)] }, {}],
  ];
  test.each([...cases])("%s", (_rule, given, then) => {
    expect(planRubbish({ ...FACTS, ...given })).toEqual({ ...NOTHING, ...then });
  });
});

describe("what is not named like an image of ours stays", () => {
  const names = [
    "2",
    "2-",
    "-two.tar",
    "two.tar",
    "02-two.tar",
    "2-.two.tar",
    "2 two.tar",
    "2-two tar",
    "2-a/b",
  ];
  test.each([...names, "99999999999-two.tar", "2-two.tar\n", "x2-two.tar", ".2-two.tar"])("%j", (name) => {
    expect(parseArchiveName(name)).toBeUndefined();
    const deleted = gone([2, undefined]);
    expect(planRubbish({ ...FACTS, deleted, archives: [file(name)] })).toEqual(NOTHING);
  });

  test("and what is, is read back as it was written", () => {
    expect(parseArchiveName("12-4-desk_1.tar.zst")).toEqual({
      diId: asId<DiId>(12),
      fileName: "4-desk_1.tar.zst",
    });
  });
});

describe("an upload", () => {
  const incoming = [file("new.tar", UPLOAD_KEPT_MS), file(".new.tar.x1.part", UPLOAD_KEPT_MS)];
  test("that nobody enrolled within a day goes, as does what is left of a broken one", () => {
    expect(planRubbish({ ...FACTS, incoming })).toEqual({
      ...NOTHING,
      incoming: ["new.tar", ".new.tar.x1.part"],
    });
  });

  test("that is enrolled and waits for the node stays", () => {
    const awaited = new Set(["new.tar"]);
    expect(planRubbish({ ...FACTS, incoming, awaited }).incoming).toEqual([".new.tar.x1.part"]);
  });

  test("that came within the day stays", () => {
    const young = incoming.map(({ name }) => file(name, UPLOAD_KEPT_MS - 1));
    expect(planRubbish({ ...FACTS, incoming: young })).toEqual(NOTHING);
  });
});
