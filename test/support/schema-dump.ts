import { runOk } from "../../src/lib/run.ts";
import type { TestDatabase } from "./cluster.ts";

/** The schema that the migrations lead to, with rights, as pg_dump tells it; without what differs by machine. */
export async function dumpSchema(database: TestDatabase): Promise<string> {
  const dump = await runOk("dump the schema", [
    "/usr/lib/postgresql/15/bin/pg_dump",
    "--schema-only",
    "--no-owner",
    `--host=${database.server.socketFolder}`,
    "--username=qvd_owner",
    database.name,
  ]);
  const kept = dump.split("\n").filter((line) => !isNoise(line));
  return `-- Made by \`bun test/support/update-schema-dump.ts\` from the migrations; a test compares.\n${kept
    .join("\n")
    .replaceAll(/\n{3,}/g, "\n\n")
    .trim()}\n`;
}

/** Comments (versions, object banners), session settings, and psql's restrictions, which carry random keys. */
function isNoise(line: string): boolean {
  return /^(--|SET |SELECT pg_catalog\.set_config|\\(un)?restrict )/.test(line);
}
