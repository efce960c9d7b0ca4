import { expect, test } from "bun:test";
import { DrizzleQueryError } from "drizzle-orm/errors";
import { AppError } from "./errors.ts";
import { createLog } from "./log.ts";

test("writes a line of JSON, with an error's sentence and that of its cause", () => {
  const lines: string[] = [];
  const log = createLog({ level: "info", write: (line) => lines.push(line), now: () => new Date(0) });
  log.debug("too-quiet");
  log.with({ process: "auth" }).warn("it-failed", {
    error: new AppError("unavailable", "It failed", { cause: new Error("no reason") }),
    sizeBytes: 7n,
  });
  expect(lines).toEqual([
    '{"at":"1970-01-01T00:00:00.000Z","level":"warn","event":"it-failed","process":"auth","error":"It failed (because: no reason)","sizeBytes":"7"}\n',
  ]);
});

test("keeps the values of a failed query to itself, however deep the failure lies", () => {
  const lines: string[] = [];
  const log = createLog({ level: "info", write: (line) => lines.push(line), now: () => new Date(0) });
  const failed = new DrizzleQueryError("insert into keys values ($1)", ["a secret\nof two lines"]);
  expect(failed.message).toContain("a secret");
  log.error("query-failed", { error: failed });
  log.error("request-failed", { error: new AppError("database-away", "write the key", { cause: failed }) });
  expect(lines.join("")).toContain("insert into keys");
  expect(lines.join("")).not.toContain("secret");
  expect(lines.join("")).not.toContain("two lines");
});
