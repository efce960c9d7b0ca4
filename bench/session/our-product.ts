/** QVD itself, by its own client; between rounds the desktop is stopped, so that signing in starts a container. */

import { mkdtempSync, openSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CLEAN_ENV } from "../../src/lib/run.ts";
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
    ...["--geometry", "1024x768", "--real-display"],
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
    waitForSuspended: () => waitForSuspended(box, person.vmId, 2),
    endSession: () => bringTo(box, [person.vmId], "stopped"),
  };
}
