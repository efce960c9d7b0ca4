/** `bun test/scenarios/update.ts [PART OF A NAME]` plays scenarios, shows how their logs differ, and writes them. */

import { existsSync, writeFileSync } from "node:fs";
import { listScenarios, logFile, SimStage } from "../support/sim/scenarios.ts";

const part = process.argv[2] ?? "";
const stage = await SimStage.open();
let failed = 0;
for (const name of (await listScenarios()).filter((one) => one.includes(part))) {
  const startMs = performance.now();
  try {
    const log = await stage.play(name);
    const isNew = !existsSync(logFile(name));
    const old = isNew ? "" : await Bun.file(logFile(name)).text();
    console.log(
      `${name}: ${isNew ? "new" : old === log ? "as before" : "differs"} (${Math.round(performance.now() - startMs)} ms)`,
    );
    if (old === log) continue;
    const next = `${logFile(name)}.new`;
    writeFileSync(next, log);
    if (!isNew)
      Bun.spawnSync(["diff", "-u", logFile(name), next], { stdio: ["ignore", "inherit", "inherit"] });
    Bun.spawnSync(["mv", next, logFile(name)]);
  } catch (error) {
    failed++;
    console.error(`${name}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
await stage.close();
process.exit(failed === 0 ? 0 : 1);
