/**
 * A site of two boxes with one real machine: the WAT, a broker on each box, and the console door of the box that has the
 * machine. Of the node only what it says of sessions is played.
 */

import { sql } from "drizzle-orm";
import { createDatabaseStore } from "../../src/broker/database-store.ts";
import { createVisitStore } from "../../src/broker/gateway/visit-store.ts";
import { createWebStore, randomWebToken } from "../../src/broker/gateway/web-store.ts";
import type { BoxIdentity } from "../../src/broker/relay/box-proof.ts";
import { runBroker } from "../../src/broker/run-broker.ts";
import type { Db } from "../../src/db/client.ts";
import { asId, type NodeId, type VmId } from "../../src/domain/ids.ts";
import { vmLayout } from "../../src/domain/node/layout.ts";
import type { MachineSpec } from "../../src/hypervisor/driver.ts";
import { silentLog } from "../../src/lib/log.ts";
import { ConsoleDoor } from "../../src/node/console-door.ts";
import { createBoxIdentities } from "../support/box-identities.ts";
import { createMachineLab } from "../support/machine-lab.ts";
import { writePaintingDisk } from "../support/painting-machine.ts";
import { playAuth } from "../support/played-auth.ts";
import { startWat } from "./wat-support.ts";

export type ConsoleLab = {
  readonly wat: string;
  /** Of the box that has the machine, and of the other one. */
  readonly near: string;
  readonly far: string;
  /** Alice's, a machine that runs. */
  readonly vmId: VmId;
  readonly owner: Db;
  /** Which box's broker the WAT sends people to. */
  sendTo(box: "near" | "far"): void;
  restartDoor(): void;
  /** The machine's own power off, from outside. */
  killMachine(): Promise<void>;
  stop(): Promise<void>;
};

const PLACE = { instance: "conlab", cidr: "10.229.0.0/24" };

export async function openConsoleLab(): Promise<ConsoleLab> {
  const machines = await createMachineLab(PLACE.instance, PLACE.cidr, { memoryMb: 32 });
  // What a run that was ended in the middle left.
  for (const vmId of (await machines.hypervisor.observe()).keys()) await machines.hypervisor.kill(vmId);
  const image = `${machines.layout.stateFolder}/painting.img`;
  writePaintingDisk(image);
  const spec: MachineSpec = { ...(await machines.prepareImage(image)), hasAgent: false };
  await machines.hypervisor.start(spec, AbortSignal.timeout(30_000));
  const portal = { address: "", port: 0 };
  const wat = await startWat({ portal });
  const owner = wat.database.open("qvd_owner").orm;
  const vmId = await giveMachine(owner);
  const [near, far] = await createBoxIdentities("node-a", "node-b");
  if (near === undefined || far === undefined) throw new Error("no certificates");
  const nodeId = asId<NodeId>(1);
  const openDoor = () => {
    const door = new ConsoleDoor({
      ...{ db: wat.database.open("qvd_node").orm, nodeId, log: silentLog() },
      path: machines.layout.consoleSocket,
      screenOf: () => vmLayout(machines.layout, spec.vmId).screenSocket,
    });
    door.start();
    return door;
  };
  let door = openDoor();
  const open = (name: string, identity: BoxIdentity) =>
    openBroker(wat.database.open("qvd_broker").orm, owner, {
      name,
      identity,
      consoleSocket: machines.layout.consoleSocket,
    });
  const nearBroker = await open("node-a", near);
  const farBroker = await open("node-b", far);
  const ports = { near: nearBroker.port, far: farBroker.port };
  portal.port = ports.near;
  return {
    wat: wat.url,
    near: `https://127.0.0.1:${ports.near}`,
    far: `https://127.0.0.1:${ports.far}`,
    vmId,
    owner,
    sendTo: (box) => {
      portal.port = ports[box];
    },
    restartDoor: () => {
      door.stop();
      door = openDoor();
    },
    killMachine: () => machines.hypervisor.kill(spec.vmId),
    async stop() {
      await Promise.all([nearBroker.close(), farBroker.close()]);
      door.stop();
      await wat.stop();
      await machines.dispose();
    },
  };
}

/** Makes the running desktop of the site a machine of alice's. */
async function giveMachine(owner: Db): Promise<VmId> {
  await owner.execute(sql`update users set login = 'alice' where id = 1`);
  await owner.execute(sql`update osfs set hypervisor = 'kvm', has_agent = false where name = 'office'`);
  await owner.execute(sql`insert into nodes (name) values ('node-b')`);
  await owner.execute(sql`delete from sessions`);
  const [row] = await owner.execute<{ id: number }>(sql`update vms set user_id = 1, name = 'alice-machine'
    where id = (select vm_id from vm_reports where state = 'running' limit 1) returning id`);
  return asId<VmId>(row?.id ?? 0);
}

async function openBroker(
  db: Db,
  owner: Db,
  box: { readonly name: string; readonly identity: BoxIdentity; readonly consoleSocket: string },
) {
  const { name, identity } = box;
  const [row] = await owner.execute<{ id: number }>(sql`select id from nodes where name = ${name}`);
  const ending = new AbortController();
  const ready = Promise.withResolvers<number>();
  const listen = {
    address: "127.0.0.1",
    port: 0,
    tlsKey: identity.key,
    tlsCertificate: identity.certificate,
  };
  const running = runBroker({
    ...{ listen, identity, log: silentLog(), auth: playAuth() },
    // The other box has no door to this machine.
    ...(name === "node-a" ? { consoleSocket: box.consoleSocket } : {}),
    store: createDatabaseStore({ db, nodeId: asId<NodeId>(row?.id ?? 0), worker: `broker-1:${name}` }),
    web: createWebStore(db, randomWebToken, name),
    visits: createVisitStore(db, randomWebToken, name),
    // The node's word about sessions.
    connectWakes: (onWake) => ({
      wake: (topic, vmId) => {
        void owner
          .execute(
            sql`update sessions set state = 'listening', address = '10.0.0.1', port = 1 where state = 'requested' and ended_at is null`,
          )
          .then(() => onWake({ topic, vmId }));
      },
      close: () => {},
    }),
    signal: ending.signal,
    endNow: ending.signal,
    onReady: ready.resolve,
  });
  const port = await ready.promise;
  await owner.execute(sql`update nodes set address = ${`127.0.0.1:${port}`} where name = ${name}`);
  return {
    port,
    close: async () => {
      ending.abort();
      await running;
    },
  };
}
