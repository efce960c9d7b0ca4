/** Takes away what a stopped box leaves on its machine: bridge, rules and empty control groups. Data stays. */

import { parseNetworkRange } from "../../domain/node/network-range.ts";
import { removeInstance } from "../../hypervisor/lxc/remove-instance.ts";
import { createNetwork } from "../../network/network.ts";
import type { Mode } from "../mode.ts";

export async function takeDown({ config, log }: Mode): Promise<void> {
  const { instance } = config;
  const range = parseNetworkRange(config.networkRange);
  await createNetwork({ instance, range, resolvers: [], log }).remove();
  await removeInstance(instance);
}
