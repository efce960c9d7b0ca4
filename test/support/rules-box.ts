/**
 * A box's desktop network with its keeper, for a namespace of its own: what other programs do to the packet filter must
 * never be tried on this machine's. Takes a line of JSON on each of its lines, and answers each with one.
 */

import { asId, type VmId } from "../../src/domain/ids.ts";
import { parseNetworkRange } from "../../src/domain/node/network-range.ts";
import { systemClock, systemTimers } from "../../src/lib/clock.ts";
import { createLog } from "../../src/lib/log.ts";
import { createNetwork } from "../../src/network/network.ts";
import { RulesKeeper } from "../../src/node/rules-keeper.ts";

export type RulesBoxOrder =
  | { readonly verb: "add"; readonly vmId: number; readonly address: string; readonly group?: number }
  | { readonly verb: "remove"; readonly vmId: number }
  | { readonly verb: "state" };

const [, , instance = "", cidr = ""] = process.argv;
const log = createLog({ level: "info", write: (line) => process.stderr.write(line), now: () => new Date() });
const network = createNetwork({ instance, range: parseNetworkRange(cidr), resolvers: [], log });
const told: string[] = [];
const keeper = new RulesKeeper({
  ...{ network, log, clock: systemClock, timers: systemTimers },
  onPutBack: ({ by }) => void told.push(by ?? "nobody knows"),
  onTrouble: () => {},
});
const say = (what: unknown) => void process.stdout.write(`${JSON.stringify(what)}\n`);

await network.ensure();
keeper.start();
say("ready");
for await (const line of console) {
  const order: RulesBoxOrder = JSON.parse(line);
  try {
    if (order.verb === "add")
      await network.addPort(
        asId<VmId>(order.vmId),
        order.address,
        order.group === undefined ? {} : { group: order.group },
      );
    if (order.verb === "remove") await network.removePort(asId<VmId>(order.vmId));
    say({ told, trouble: keeper.trouble ?? null });
  } catch (error) {
    say({ fault: `${error}` });
  }
}
keeper.stop();
process.exit();
