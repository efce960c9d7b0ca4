/**
 * Faults of a whole box: what runs is the compiled executable with everything that it starts, and each test
 * takes one thing away. One box for all of them, since it must come out of each as it went in.
 */

import { afterAll, beforeAll, describe } from "bun:test";
import { FaultLab } from "../../support/fault-lab.ts";
import { testClients } from "./clients.ts";
import { testConnect } from "./connect.ts";
import { testDatabase } from "./database.ts";
import { testDesktops } from "./desktops.ts";
import { testDisk } from "./disk.ts";
import { testEnd } from "./end.ts";
import { testFilled } from "./filled.ts";
import { testImages } from "./images.ts";
import { testProcesses } from "./processes.ts";

let made: FaultLab | undefined;
beforeAll(async () => {
  made = await FaultLab.create();
}, 420_000);
afterAll(async () => {
  await made?.dispose();
}, 240_000);

function lab(): FaultLab {
  if (made === undefined) throw new Error("there is no box");
  return made;
}

describe("a client that vanishes", () => testClients(lab));
describe("qvd connect", () => testConnect(lab));
describe("SIGKILL", () => testProcesses(lab));
describe("PostgreSQL that is away", () => testDatabase(lab));
describe("inside a desktop", () => testDesktops(lab));
describe("an image", () => testImages(lab));
describe("a full disk", () => testDisk(lab));
describe("a disk that a desktop fills", () => testFilled(lab));
describe("the end", () => testEnd(lab));
