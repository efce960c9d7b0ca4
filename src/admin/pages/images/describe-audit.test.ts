import { expect, test } from "bun:test";
import { describeAudit } from "./describe-audit.ts";

test.each([
  ["image.enrol", { fileName: "a.tar", sourceUrl: null }, "Added", "a.tar"],
  ["image.enrol", { fileName: "a.tar", sourceUrl: "https://x.org/a.tar" }, "Added", "https://x.org/a.tar"],
  ["image.publish", { tags: ["head", "default"], from: {} }, "Published", "head, default"],
  ["image.move-tag", { tag: "pilot", from: 3 }, "Tag put on", "pilot"],
  ["image.block", null, "Blocked", undefined],
  ["image.of-tomorrow", "odd", "image.of-tomorrow", undefined],
])("%s with %j is told as %s", (action, detail, text, said) => {
  expect(describeAudit({ action, detail })).toEqual({ text, detail: said });
});
