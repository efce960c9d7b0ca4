/**
 * Every scenario of `test/scenarios` is played, and its log compared with the one beside it. After a change that is
 * meant, `bun test/scenarios/update.ts` writes the logs anew and shows what differs, to be read in review.
 */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { listScenarios, logFile, SimStage } from "../support/sim/scenarios.ts";

/** Only against one that hangs: another that begins beside it would fail as well. */
const TEST_MS = 180_000;

const names = await listScenarios();

describe("scenario", () => {
  let stage: SimStage;
  beforeAll(async () => {
    stage = await SimStage.open();
  });
  afterAll(() => stage.close());

  for (const name of names)
    test(
      name,
      async () => {
        const log = await stage.play(name);
        expect(log).toBe(existsSync(logFile(name)) ? readFileSync(logFile(name), "utf8") : "no log yet");
      },
      TEST_MS,
    );
});

test("there are as many scenarios as were promised", () => {
  expect(names.length).toBeGreaterThanOrEqual(60);
});
