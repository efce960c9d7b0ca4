import { openCgroupTree, partFolder } from "../../hypervisor/lxc/cgroup-tree.ts";
import { AppError } from "../../lib/errors.ts";
import { isProcessRunning, listCgroupPids, signalProcess } from "../../lib/process.ts";
import { waitFor } from "../../lib/wait.ts";
import { endLeftWorkers, listLeftWorkers } from "../../node/end-left-workers.ts";
import type { Command, CommandIo } from "../command.ts";
import { openMode, requireRoot } from "../mode.ts";
import { openBox } from "./open-box.ts";
import { type BoxStatus, readBoxStatus } from "./status-file.ts";
import { takeDown } from "./take-down.ts";

/** Longer than the parts' own deadlines together. */
const STOP_MS = 180_000;

export const boxStop: Command = {
  name: "box stop",
  summary: "Stop the box that `box run` keeps, desktops first.",
  details:
    "Give it the settings that the box was started with (QVD_STATE, QVD_INSTANCE). Also stops what a killed `box run` left running.",
  examples: ["qvd box stop"],
  async run(io) {
    requireRoot("stopping a box");
    const { layout, config } = openMode(io);
    const status = readBoxStatus(layout);
    if (status?.box && isProcessRunning(status.box)) return await stopRunning(status.box, io);
    if (status?.processes.some(isProcessRunning)) return await stopOrphans(io);
    if (listLeftWorkers(layout.nodeProcessFile).length > 0)
      return (await hasDesktops(config.instance)) ? await stopOrphans(io) : await stopWorkers(io);
    io.err("qvd box: it does not run\n");
    return 0;
  },
};

async function stopRunning(box: NonNullable<BoxStatus["box"]>, io: CommandIo): Promise<number> {
  io.err("qvd box: stopping desktops, brokers, admin and database\n");
  signalProcess(box, "SIGTERM");
  const hasEnded = await waitFor(() => !isProcessRunning(box), { timeoutMs: STOP_MS, everyMs: 50 });
  if (hasEnded !== true) {
    throw new AppError(
      "timeout",
      `stopping the box: process ${box.pid} has not ended after ${STOP_MS / 1000} s`,
    );
  }
  const status = readBoxStatus(openMode(io).layout);
  io.err(`qvd box: ${status?.text ?? "stopped"}\n`);
  return 0;
}

/** A box that was killed is started again, which finds its parts, since only a whole one can stop desktops. */
async function stopOrphans(io: CommandIo): Promise<number> {
  const { box, mode } = await openBox(io);
  try {
    await box.start(io.signal);
  } finally {
    if (await box.stop()) await takeDown(mode);
  }
  return 0;
}

/** Of a box whose parts are all gone; without desktops there is nothing that needs them back. */
async function stopWorkers(io: CommandIo): Promise<number> {
  const mode = openMode(io);
  const ended = await endLeftWorkers(mode.layout.nodeProcessFile);
  await takeDown(mode);
  io.err(`qvd box: it did not run any more; ended ${ended.map(({ name }) => name).join(", ")}\n`);
  return 0;
}

async function hasDesktops(instance: string): Promise<boolean> {
  const tree = await openCgroupTree(instance);
  const parts = ["container", "machine"] as const;
  return parts.some((part) => listCgroupPids(partFolder(tree, part)).length > 0);
}
