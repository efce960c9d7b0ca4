/**
 * What lies on the box of desktops that the database doesn't know here: dead remains are cleaned up, since
 * nobody else will; a living one is left alone and told of, because the database may be the one that is wrong. It is ended when an
 * administrator asks for just that one: gracefully, then by force; its home stays.
 */

import { eq } from "drizzle-orm";
import { attemptDatabase } from "../db/errors.ts";
import type { NodeDesktop } from "../db/queries/node-desktops.ts";
import { nodes } from "../db/schema/index.ts";
import { asId, type VmId } from "../domain/ids.ts";
import { describeError } from "../lib/errors.ts";
import { waitFor } from "../lib/wait.ts";
import { noteStrangerEnded } from "../service/node/note-stranger-ended.ts";
import type { LoopDeps } from "./deps.ts";
import { cleanUpDesktop } from "./execute/clean-up.ts";
import { listLeftovers, type World } from "./observe.ts";

export type Seen = {
  readonly world: World;
  /** Desktops of this node's memory; one of them may just be going. */
  readonly known: ReadonlyMap<VmId, unknown>;
  readonly desktops: readonly NodeDesktop[];
};

/** How long it is waited for after each way of asking, from the gentle to the last. */
export type EndTimes = { readonly haltMs: number; readonly terminateMs: number; readonly killMs: number };

export const END_TIMES: EndTimes = { haltMs: 30_000, terminateMs: 10_000, killMs: 10_000 };
const LOOK_EVERY_MS = 200;

export class Strangers {
  readonly #deps: LoopDeps;
  readonly #onEnded: () => void;
  readonly #times: EndTimes;
  readonly #ending = new Set<VmId>();
  #living: readonly VmId[] = [];

  /** `onEnded` says that one is gone, so that all are looked at again. */
  constructor(deps: LoopDeps, onEnded: () => void, times: EndTimes = END_TIMES) {
    this.#deps = deps;
    this.#onEnded = onEnded;
    this.#times = times;
  }

  /** Living desktops that the database doesn't place here. */
  get living(): readonly VmId[] {
    return this.#living;
  }

  /** Of a look at the whole box. */
  async sweep({ world, known, desktops }: Seen): Promise<void> {
    const { log } = this.#deps;
    const ours = new Set(desktops.map((desktop) => desktop.vmId));
    const all = [...world.desktops.values()].filter((desktop) => desktop.isAlive && !ours.has(desktop.vmId));
    this.#living = all.map(({ vmId }) => vmId);
    for (const vmId of new Set([...world.desktops.keys(), ...world.disks.keys()])) {
      if (ours.has(vmId) || known.has(vmId) || this.#ending.has(vmId)) continue;
      if (world.desktops.get(vmId)?.isAlive === true) log.warn("stranger-running", { vmId });
      else await this.#cleanUp(vmId, listLeftovers(this.#deps, vmId, world));
    }
    await this.#followWishes(ours, known);
  }

  async #cleanUp(vmId: VmId, leftovers: readonly string[]): Promise<void> {
    if (leftovers.length === 0) return;
    try {
      await cleanUpDesktop(this.#deps, vmId);
      this.#deps.log.info("stranger-cleaned-up", { vmId, leftovers });
    } catch (error) {
      this.#deps.log.warn("stranger-not-cleaned-up", { vmId, error });
    }
  }

  /** Those alone are ended that somebody named, and that are none of ours yet. A wish doesn't wait for one that comes later. */
  async #followWishes(ours: ReadonlySet<VmId>, known: ReadonlyMap<VmId, unknown>): Promise<void> {
    const { db, node, hasLease } = this.#deps;
    if (!hasLease()) return;
    const [row] = await attemptDatabase("read which desktops are to be ended", () =>
      db.select({ wished: nodes.strangersToEnd }).from(nodes).where(eq(nodes.id, node.nodeId)),
    );
    for (const wished of row?.wished ?? []) {
      const vmId = asId<VmId>(wished);
      if (this.#ending.has(vmId)) continue;
      if (!this.#living.includes(vmId)) {
        const why = ours.has(vmId) ? "the site places it here by now" : "it doesn't run here any more";
        await this.#noteEnd(vmId, `Desktop ${vmId} was not ended: ${why}.`);
      } else if (!known.has(vmId)) {
        this.#ending.add(vmId);
        void this.#end(vmId, () => hasLease() && !known.has(vmId)).finally(() => {
          this.#ending.delete(vmId);
          this.#onEnded();
        });
      }
    }
  }

  /** `mayEnd` is false once the site has placed it here meanwhile, or this box may do nothing any more. */
  async #end(vmId: VmId, mayEnd: () => boolean): Promise<void> {
    const { log } = this.#deps;
    try {
      const how = await this.#askToEnd(vmId, mayEnd);
      if (how === undefined || !mayEnd()) return;
      // What it has left is cleaned up by the look that follows, which knows whether it is ours by then.
      await this.#noteEnd(vmId, `Desktop ${vmId} was ended ${how}; its home was left as it is.`);
      log.info("stranger-ended", { vmId, how });
    } catch (error) {
      // The wish stands: the next full pass begins anew.
      log.warn("stranger-not-ended", { vmId, error: describeError(error) });
    }
  }

  async #noteEnd(vmId: VmId, text: string): Promise<void> {
    const { db, node } = this.#deps;
    const actor = { kind: "node", name: node.name } as const;
    await noteStrangerEnded({ db, actor }, { nodeId: node.nodeId, vmId, text });
  }

  /** How it ended; undefined where it doesn't, or mustn't any more. */
  async #askToEnd(vmId: VmId, mayEnd: () => boolean): Promise<string | undefined> {
    const { hypervisor, log } = this.#deps;
    const { haltMs, terminateMs, killMs } = this.#times;
    const isDead = async () => (await hypervisor.observe([vmId])).get(vmId)?.isAlive !== true;
    const ways = [
      { how: "by its own shutdown", ask: () => hypervisor.halt(vmId), timeoutMs: haltMs },
      { how: "by ending its monitor", ask: () => hypervisor.terminate(vmId), timeoutMs: terminateMs },
      { how: "by force", ask: () => hypervisor.kill(vmId), timeoutMs: killMs },
    ];
    for (const { how, ask, timeoutMs } of ways) {
      if (!mayEnd()) return undefined;
      // Where it can't be asked in this way, it is asked in the next.
      await ask().catch((error) =>
        log.info("stranger-not-asked", { vmId, how, error: describeError(error) }),
      );
      if (await waitFor(isDead, { timeoutMs, everyMs: LOOK_EVERY_MS })) return how;
    }
    log.warn("stranger-not-ended", { vmId, error: "it survives being killed; it hangs in the kernel" });
    return undefined;
  }
}
