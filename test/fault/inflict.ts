/** Does a fault to a lab, and undoes it. */

import { assertNever } from "../../src/lib/errors.ts";
import type { ManyNodes } from "../support/many-nodes.ts";
import type { Fault } from "./plan-faults.ts";

export async function inflict(lab: ManyNodes, fault: Fault): Promise<void> {
  const node = lab.nodes[fault.node ?? 0];
  if (node === undefined) return;
  switch (fault.kind) {
    case "cut-database":
      return await lab.cutDatabase(node, true);
    case "cut-storage":
      return node.cutStorage(true);
    case "cut-both":
      node.cutStorage(true);
      return await lab.cutDatabase(node, true);
    case "kill-node":
      return void node.signal("node", "SIGKILL");
    case "kill-keeper":
      return void node.signal("keeper", "SIGKILL");
    case "kill-both":
      node.signal("keeper", "SIGKILL");
      return void node.signal("node", "SIGKILL");
    case "stop-node":
      return void node.signal("node", "SIGSTOP");
    case "stop-keeper":
      return void node.signal("keeper", "SIGSTOP");
    case "stop-both":
      node.signal("keeper", "SIGSTOP");
      return void node.signal("node", "SIGSTOP");
    case "freeze-box":
      return node.freeze(true);
    case "power-off":
      return await node.powerOff();
    case "database-restart":
      return await lab.server.stop("fast");
    case "database-crash":
      return await lab.server.stop("immediate");
    default:
      assertNever(fault.kind);
  }
}

export async function undo(lab: ManyNodes, fault: Fault): Promise<void> {
  const node = lab.nodes[fault.node ?? 0];
  if (node === undefined) return;
  switch (fault.kind) {
    case "cut-database":
      return await lab.cutDatabase(node, false);
    case "cut-storage":
      return node.cutStorage(false);
    case "cut-both":
      node.cutStorage(false);
      return await lab.cutDatabase(node, false);
    case "kill-node":
    case "kill-keeper":
    case "kill-both":
      return;
    case "stop-node":
      return void node.signal("node", "SIGCONT");
    case "stop-keeper":
      return void node.signal("keeper", "SIGCONT");
    case "stop-both":
      node.signal("node", "SIGCONT");
      return void node.signal("keeper", "SIGCONT");
    case "freeze-box":
      return node.freeze(false);
    case "power-off":
      return await node.start();
    case "database-restart":
    case "database-crash":
      return await lab.server.start();
    default:
      assertNever(fault.kind);
  }
}
