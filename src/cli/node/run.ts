import { readFileSync } from "node:fs";
import { availableParallelism, hostname } from "node:os";
import type { Config } from "../../config/load-config.ts";
import { openDatabase } from "../../db/client.ts";
import { requireSchema } from "../../db/migrate.ts";
import type { Layout } from "../../domain/node/layout.ts";
import { leaseTimes } from "../../domain/node/lease-times.ts";
import type { NetworkPolicy } from "../../domain/node/network-policy.ts";
import { type NetworkRange, parseNetworkRange } from "../../domain/node/network-range.ts";
import type { PlacementOptions } from "../../domain/node/placement.ts";
import {
  manualPolicy,
  PLACEMENT_POLICIES,
  PLACEMENT_POLICY_NAMES,
} from "../../domain/node/placement-policy.ts";
import { VM_LIMITS } from "../../domain/vm/facts.ts";
import { renderOrderScript } from "../../guest/session/order-script.ts";
import { bothHypervisors } from "../../hypervisor/both-hypervisors.ts";
import { createLxcHypervisor, type LxcOptions } from "../../hypervisor/lxc/lxc-hypervisor.ts";
import { systemClock } from "../../lib/clock.ts";
import type { Log } from "../../lib/log.ts";
import { findCgroupRoot } from "../../lib/process.ts";
import { createNetwork } from "../../network/network.ts";
import { parseResolvers } from "../../network/parse-resolvers.ts";
import type { NodeLease } from "../../node/lease/node-lease.ts";
import { loadPlacementPolicy } from "../../node/load-placement-policy.ts";
import { runNode } from "../../node/run-node.ts";
import { takeShortTurns } from "../../node/short-turns.ts";
import type { WorkerSpec } from "../../node/supervise.ts";
import type { LetGo } from "../../storage/settle-disk.ts";
import { readVersion } from "../../version.ts";
import { readAccount, readGroupId, SHARED_GROUP } from "../accounts.ts";
import { prepareBox } from "../box/prepare.ts";
import { childEnv, fingerprintOf, ourselves, rootChildEnv } from "../child.ts";
import type { Command } from "../command.ts";
import { openBoxStorage, openKeptLease, openShared } from "../keeper/lease.ts";
import { openMode, requireRoot } from "../mode.ts";
import { PROCESS_MEMORY } from "../process-memory.ts";
import { machineParts } from "./machine-parts.ts";
import { networkParts } from "./network-parts.ts";
import { readBoxId } from "./read-box-id.ts";

export const nodeRun: Command = {
  name: "node run",
  summary: "Keep the desktops of this box as they are wished.",
  details: [
    "Starts auth and the brokers, and finds them and the running desktops again when it was ended before.",
    "SIGTERM hands over: desktops, their sessions, brokers and auth go on without it.",
    "SIGINT shuts the box down: desktops are stopped, then brokers and auth.",
  ].join("\n"),
  examples: ["qvd node run"],
  async run(io) {
    requireRoot("running a node");
    takeShortTurns();
    const { config, layout, log, database: address } = openMode(io);
    // Where systemd starts us, nobody else has.
    await prepareBox(layout);
    const { instance, idRangeFirst, parallelStarts, parallelStops } = config;
    const range = parseNetworkRange(config.networkRange);
    const { policy, dnsmasq, worker: dnsmasqWorker } = networkParts(config, range);
    const resolvers = [...parseResolvers(readFileSync("/etc/resolv.conf", "utf8")), ...policy.nameServers];
    const databaseAddress = await address("qvd_node");
    const database = openDatabase(databaseAddress, {
      max: 4,
      applicationName: `qvd node ${config.nodeName}`,
    });
    const { machines, acceleration, settings } = await machineParts(config, layout, log);
    let lease: NodeLease | undefined;
    const letGo = (): LetGo => (lease?.state.isHeld === true ? "written" : "undecided");
    const storage = openBoxStorage({ config, layout, log }, letGo);
    try {
      return await runNode(
        {
          name: config.nodeName,
          version: readVersion(),
          registration: { boxId: readBoxId(layout.stateFolder), address: relayAddress(config) },
          placement: await choosePlacement(config, log),
          settings: {
            ...{ instance, layout, idRangeFirst, range, parallelStarts, parallelStops },
            gentleStarts: Math.min(parallelStarts, Math.max(1, Math.floor(availableParallelism() / 2))),
            agentExecutable: process.execPath,
            renderOrderScript,
            hooksFolder: config.hooksFolder,
            limits: { ...VM_LIMITS, startTimeoutMs: config.startTimeoutSeconds * 1000 },
            ...settings,
          },
          database,
          databaseAddress,
          checkDatabase: () => requireSchema(database.sql),
          hypervisor: bothHypervisors(
            await createLxcHypervisor(containerOptions({ instance, layout, range, policy })),
            machines,
          ),
          acceleration,
          storage,
          network: createNetwork({ instance, range, resolvers, policy, dnsmasq, log }),
          workers: [...listWorkers(config), dnsmasqWorker],
          leaveMs: config.brokerLeaveSeconds * 1000,
          sharedPort: {
            address: config.brokerAddress,
            port: config.brokerPort,
            isOf: (worker) => worker.startsWith("broker-"),
          },
          openLease: (_of, onLost) => {
            lease = openKeptLease({ config, layout, storage, onLost, log });
            return lease;
          },
          takeover: { times: leaseTimes(config.leaseSeconds * 1000), shared: await openShared(layout) },
          workersCgroup: `${findCgroupRoot()}/${instance}/p`,
          wakeGid: readGroupId(SHARED_GROUP),
          clock: systemClock,
          log,
        },
        io.signal,
      );
    } finally {
      await database.close();
    }
  },
};

/** A segment that others share carries what their wires do: there the way to the box stays as it is. */
function containerOptions(box: {
  readonly instance: string;
  readonly layout: Layout;
  readonly range: NetworkRange;
  readonly policy: NetworkPolicy;
}): LxcOptions {
  const { instance, layout, range, policy } = box;
  const boxAddress = policy.uplink === undefined ? range.gateway : undefined;
  return { instance, layout, resolvers: [range.gateway], searchDomain: policy.domain, boxAddress };
}

/** Where other boxes find this one's broker. */
function relayAddress({ nodeAddress, brokerPort }: Config): string {
  const host = nodeAddress || hostname();
  return `${host.includes(":") && !host.startsWith("[") ? `[${host}]` : host}:${brokerPort}`;
}

async function choosePlacement(config: Config, log: Log): Promise<PlacementOptions> {
  const common = { overcommit: config.memoryOvercommit, random: Math.random };
  if (config.placementPolicy !== "")
    return { policy: await loadPlacementPolicy(config.placementPolicy, log), ...common };
  const name = PLACEMENT_POLICY_NAMES.find((one) => one === config.placement) ?? "most-free";
  if (name !== "manual") return { policy: PLACEMENT_POLICIES[name], ...common };
  const { placementMemory: memory, placementCpu: cpu, placementRandom: random } = config;
  return { policy: manualPolicy({ memory, cpu, random }), ...common };
}

function listWorkers(config: Config): readonly WorkerSpec[] {
  const env = childEnv(config);
  const broker = readAccount("qvd-broker");
  const fingerprint = fingerprintOf(env);
  const brokers = Array.from({ length: config.brokerWorkers }, (_, index) => index + 1);
  return [
    {
      name: "keeper",
      command: [...ourselves(), "keeper", "run"],
      account: undefined,
      // Its memory is locked, and the kernel refuses to take any back: to offer it would cost 600 calls a second.
      env: { ...rootChildEnv(config), MIMALLOC_PURGE_DELAY: "-1" },
      outlivesFailedStart: true,
      goesFirst: "lease",
    },
    {
      ...{ name: "auth", command: [...ourselves(), "auth", "run"], account: readAccount("qvd-auth") },
      env: { ...env, ...PROCESS_MEMORY },
      fingerprint,
    },
    ...brokers.map(
      (number): WorkerSpec => ({
        name: `broker-${number}`,
        command: [...ourselves(), "broker", "run", "--worker", String(number)],
        account: broker,
        env: { ...env, ...PROCESS_MEMORY },
        fingerprint,
        drains: true,
        goesFirst: "sessions",
      }),
    ),
  ];
}
