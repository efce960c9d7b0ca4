/** Writes migrations/schema.sql anew, after a migration was added or, before it ships, edited. */

import { fileURLToPath } from "node:url";
import { createTestDatabase } from "./cluster.ts";
import { dumpSchema } from "./schema-dump.ts";

const database = await createTestDatabase();
try {
  const file = fileURLToPath(new URL("../../migrations/schema.sql", import.meta.url));
  await Bun.write(file, await dumpSchema(database));
} finally {
  await database.drop();
}
