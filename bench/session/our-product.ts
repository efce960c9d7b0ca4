/** QVD itself, by its own client; between rounds the desktop is stopped, so that signing in starts a container. */

import { mkdtempSync, openSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { desc, eq } from "drizzle-orm";
import { sessions } from "../../src/db/schema/index.ts";
import { CLEAN_ENV } from "../../src/lib/run.ts";
import { waitFor } from "../../src/lib/wait.ts";
import type { BenchBox, Person } from "../box.ts";
import { bringTo, waitForSuspended } from "../rounds.ts";
import type { Product } from "./product.ts";

export function ourProduct(box: BenchBox, person: Person, executable: string): Product {
  const { target } = box.whoIs(person);
  const home = mkdtempSync(join(tmpdir(), "qvd-bench-home-"));
  const words = [
    ...[
      "connect",
      "--host",
      `localhost:${target.port}`,
      "--user",
      person.login,
      "--ca",
      target.caCertificate,
    ],
    ...["--geometry", "1024x768"],
  ];
  return {
    name: "QVD",
    startClient(screen) {
      const log = openSync(join(home, "client.log"), "a");
      return Bun.spawn([executable, ...words], {
        env: { ...CLEAN_ENV, DISPLAY: screen.display, HOME: home },
        stdin: new TextEncoder().encode(`${person.password}\n`),
        stdout: log,
        stderr: log,
        detached: true,
      });
    },
    waitForLeft: async () => {
      const isThere = await waitFor(() => hasLeft(box, person), { timeoutMs: 60_000, everyMs: 1 });
      if (!isThere) throw new Error("the end of our session was not recorded in a minute");
    },
    waitForSuspended: () => waitForSuspended(box, person.vmId, 2),
    endSession: () => bringTo(box, [person.vmId], "stopped"),
  };
}

async function hasLeft({ database }: BenchBox, { vmId }: Person): Promise<boolean> {
  const newest = database.orm
    .select()
    .from(sessions)
    .where(eq(sessions.vmId, vmId))
    .orderBy(desc(sessions.id));
  const [row] = await newest.limit(1);
  return row !== undefined && row.endedAt !== null;
}
