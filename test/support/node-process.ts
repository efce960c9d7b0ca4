/** A node as a process of its own, for tests that kill it. Its one argument is a NodeProcessOptions as JSON. */

import { openDatabase } from "../../src/db/client.ts";
import type { DatabaseAddress } from "../../src/db/url.ts";
import { layoutOf } from "../../src/domain/node/layout.ts";
import { parseNetworkRange } from "../../src/domain/node/network-range.ts";
import { VM_LIMITS, type VmLimits } from "../../src/domain/vm/facts.ts";
import { createLxcHypervisor } from "../../src/hypervisor/lxc/lxc-hypervisor.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { createLog } from "../../src/lib/log.ts";
import { findCgroupRoot } from "../../src/lib/process.ts";
import { createNetwork } from "../../src/network/network.ts";
import { OwnLease } from "../../src/node/lease/own-lease.ts";
import { runNode } from "../../src/node/run-node.ts";
import type { WorkerSpec } from "../../src/node/supervise.ts";
import { createStorage } from "../../src/storage/storage.ts";

export type NodeProcessOptions = {
  readonly instance: string;
  readonly stateFolder: string;
  readonly runFolder: string;
  readonly cidr: string;
  readonly idRangeFirst: number;
  readonly agentExecutable: string;
  readonly database: DatabaseAddress;
  readonly workers: readonly WorkerSpec[];
  readonly limits: Partial<VmLimits>;
};

const options: NodeProcessOptions = JSON.parse(process.argv[2] ?? "");
const { instance, idRangeFirst, agentExecutable } = options;
const layout = layoutOf(options.stateFolder, options.runFolder);
const range = parseNetworkRange(options.cidr);
const log = createLog({
  level: "debug",
  write: (line) => void process.stderr.write(line),
  now: () => new Date(),
});
const stop = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, () => stop.abort(name));
process.exitCode = await runNode(
  {
    name: instance,
    version: "0.0.0-test",
    settings: {
      ...{ instance, layout, idRangeFirst, range, agentExecutable },
      parallelStarts: 4,
      parallelStops: 8,
      limits: { ...VM_LIMITS, ...options.limits },
    },
    database: openDatabase(options.database, { applicationName: `node ${instance}` }),
    databaseAddress: options.database,
    checkDatabase: async () => {},
    hypervisor: await createLxcHypervisor({ instance, layout, resolvers: [], boxAddress: range.gateway }),
    storage: createStorage({ layout, idRangeFirst, log, reserveBytes: 0 }),
    network: createNetwork({ instance, range, resolvers: [], log }),
    workers: options.workers,
    openLease: (of) => new OwnLease(of, log, () => systemClock.monotonicMs()),
    workersCgroup: `${findCgroupRoot()}/${instance}/p`,
    wakeGid: undefined,
    clock: systemClock,
    log,
  },
  stop.signal,
);
process.exit();
