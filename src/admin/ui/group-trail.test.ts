import { expect, test } from "bun:test";
import { groupTrail } from "./group-trail.ts";

/** Newest first; groups as `last<step<step`. */
const TRAILS: readonly (readonly [string, string, readonly string[]])[] = [
  ["nothing", "", []],
  [
    "a sitting",
    "session-ended session-connected session-listening session-requested",
    ["session-ended<session-connected<session-listening<session-requested"],
  ],
  [
    "two sittings, one after the other",
    "session-connected session-requested session-ended session-requested",
    ["session-connected<session-requested", "session-ended<session-requested"],
  ],
  [
    "a start that went well after a stop",
    "desktop-running disks-ready start-taken desktop-stopped stop-taken",
    ["desktop-running<disks-ready<start-taken", "desktop-stopped<stop-taken"],
  ],
  [
    "a fault in the middle",
    "session-ended session-failed session-requested",
    ["session-ended", "session-failed", "session-requested"],
  ],
  ["what is in no chapter", "wish-recorded wish-recorded", ["wish-recorded", "wish-recorded"]],
  ["a trail that is cut off", "agent-connected disks-ready", ["agent-connected<disks-ready"]],
  [
    "codes of a newer version",
    "from-the-future toString from-the-future",
    ["from-the-future", "toString", "from-the-future"],
  ],
];

for (const [name, codes, expected] of TRAILS)
  test(`folds ${name}`, () => {
    const items = codes.split(" ").flatMap((code) => (code === "" ? [] : [{ code }]));
    const groups = groupTrail(items).map(({ last, before }) =>
      [last, ...before].map(({ code }) => code).join("<"),
    );
    expect(groups).toEqual([...expected]);
  });
