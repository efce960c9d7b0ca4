/** Starts one desktop, as a node would, in a process of its own that a test can kill. Spec on stdin. */

import { createLxcHypervisor } from "../../src/hypervisor/lxc/lxc-hypervisor.ts";

const { spec, layout, instance } = await Bun.stdin.json();
const hypervisor = await createLxcHypervisor({ instance, layout, resolvers: [] });
await Bun.write(Bun.stdout, "starting\n");
await hypervisor.start(spec, new AbortController().signal);
await Bun.sleep(60_000);
