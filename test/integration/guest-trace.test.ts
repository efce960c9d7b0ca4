/**
 * Golden trace 27, what the desktop is told of a client: the original's agent got it as a request, ours as an order on
 * the guest channel. Client, properties, authenticator and application, through a whole node.
 */

import { afterEach, beforeEach, expect, test } from "bun:test";
import { sql } from "drizzle-orm";
import { chooseClientParameters } from "../../src/domain/session/client-parameters.ts";
import type { NodeDatabase } from "../support/node-database.ts";
import { NodeWorld } from "../support/node-world.ts";

let world: NodeWorld;
let rows: NodeDatabase;
beforeEach(async () => {
  world = await NodeWorld.create();
  rows = world.rows;
});
afterEach(() => world.end());

test("27: the order for a session", async () => {
  await world.startNode();
  const vm = await rows.addVm("one");
  await rows.wish(vm, "running");
  await rows.owner.execute(sql`update osfs set is_application = true, program = 'xterm -maximized'`);
  await rows.owner.execute(sql`insert into properties (vm_id, key, value) values (${vm}, 'qvd.client.link', 'modem'),
    (${vm}, 'printer', 'lp0')`);
  const client = chooseClientParameters(
    new Map([
      ["qvd.client.keyboard", "pc105/es"],
      ["qvd.client.link", "lan"],
      ["qvd.client.geometry", "800x600"],
      ["qvd.client.printing.enabled", "1"],
      ["qvd.client.timezone", "Europe/Madrid"],
      ["custom.desk", "17"],
    ]),
  );
  const parameters = { "qvd.vm.user.home": "/srv/one", "qvd.client.geometry": "1600x900" };
  const session = await rows.requestSession(vm, { client, parameters });
  await rows.sessionReaches(session, "listening");
  const [order] = world.hypervisor.agent(vm)?.orders ?? [];
  expect(order).toMatchObject({
    type: "session-prepare",
    session,
    client: {
      keyboard: "pc105/es",
      os: "linux",
      link: "modem",
      geometry: "1600x900",
      isFullscreen: false,
      given: {
        "qvd.client.keyboard": "pc105/es",
        "qvd.client.link": "modem",
        "qvd.client.geometry": "1600x900",
        "qvd.client.printing.enabled": "1",
        "qvd.client.timezone": "Europe/Madrid",
        "custom.desk": "17",
      },
    },
    properties: { "qvd.client.link": "modem", printer: "lp0" },
    parameters,
    program: "xterm -maximized",
    slaveKey: "k".repeat(64),
  });
});

test("27: of a client that says nothing, and a desktop that is no application", async () => {
  await world.startNode();
  const vm = await rows.addVm("one");
  await rows.wish(vm, "running");
  await rows.sessionReaches(await rows.requestSession(vm), "listening");
  const [order] = world.hypervisor.agent(vm)?.orders ?? [];
  expect(order).toMatchObject({ client: { keyboard: "pc105/us", link: "adsl" }, properties: {} });
  expect(order).not.toHaveProperty("program");
});
