import { describe, expect, test } from "bun:test";
import { COMMANDS } from "./commands.ts";
import { renderHelp, renderOverview } from "./help.ts";

describe("the table of commands", () => {
  test("names each command once", () => {
    const names = COMMANDS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  test.each(COMMANDS.map((entry) => [entry.name, entry] as const))(
    "says of %s what it says of itself",
    async (_, entry) => {
      const command = await entry.load();
      expect(command.name).toBe(entry.name);
      expect(command.summary).toBe(entry.summary);
      expect(command.summary).toMatch(/^[A-Z].*\.$/);
      for (const example of command.examples ?? []) expect(example).toContain(`qvd ${entry.name}`);
    },
  );

  test("has help without a line over 100 characters", async () => {
    const helps = await Promise.all(COMMANDS.map(async (entry) => renderHelp(await entry.load())));
    for (const help of [...helps, renderOverview(COMMANDS)])
      for (const line of help.split("\n").filter((one) => !/^ {2}(qvd|QVD_)/.test(one)))
        expect(line.length).toBeLessThanOrEqual(100);
  });
});
