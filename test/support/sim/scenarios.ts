/** The scenario files, and how one of them is played: for the tests, and for the command that updates their logs. */

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { createTestDatabase, type TestDatabase } from "../cluster.ts";
import { SimDatabase } from "./database.ts";
import { runScript } from "./script.ts";
import { SimSite } from "./site.ts";

export const SCENARIOS_FOLDER = fileURLToPath(new URL("../../scenarios", import.meta.url));

/** Paths without their ending, relative to the scenarios' folder. */
export async function listScenarios(): Promise<readonly string[]> {
  const found = await Array.fromAsync(new Bun.Glob("**/*.scenario").scan({ cwd: SCENARIOS_FOLDER }));
  return found.map((path) => path.replace(/\.scenario$/, "")).sort();
}

export function logFile(name: string): string {
  return `${SCENARIOS_FOLDER}/${name}.log`;
}

/** Plays scenarios one after the other over one database. */
export class SimStage {
  readonly #test: TestDatabase;
  readonly #database: SimDatabase;
  #site: SimSite | undefined;

  static async open(): Promise<SimStage> {
    return new SimStage(await createTestDatabase());
  }

  private constructor(test: TestDatabase) {
    this.#test = test;
    this.#database = new SimDatabase(test, () => {
      if (this.#site === undefined) throw new Error("nothing is being played");
      return this.#site.time;
    });
  }

  /** Returns the log of what happened; throws where an expectation isn't met. */
  async play(name: string): Promise<string> {
    const text = readFileSync(`${SCENARIOS_FOLDER}/${name}.scenario`, "utf8");
    await this.#database.reset();
    const site = new SimSite(this.#database);
    this.#site = site;
    try {
      return await runScript(site, text);
    } finally {
      site.end();
    }
  }

  async close(): Promise<void> {
    await this.#database.close();
    await this.#test.drop();
  }
}
