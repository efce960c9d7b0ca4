/** Ends the shared cluster of the tests and removes its folder. Run at the end of a test run. */

import { rm } from "node:fs/promises";
import { sharedServer } from "./cluster.ts";
import { stopServer } from "./db-server.ts";

const server = sharedServer();
await stopServer(server, "immediate");
await rm(server.folder, { recursive: true, force: true });
await rm(`${server.folder}.lock`, { force: true });
