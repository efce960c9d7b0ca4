/**
 * The maps of desktops' id ranges, as id-mapped binds take them: user namespaces, each made once by two short
 * programs and then held by a descriptor alone, with nobody inside. A desktop keeps its range for life, so that
 * each start but the first finds its map made.
 */

import { closeSync, openSync } from "node:fs";
import type { IdRange } from "../domain/node/id-range.ts";
import { withUserNamespace } from "./user-namespace.ts";

/** A user namespace, as far as a bind needs it. The descriptor is its giver's to close. */
export type IdMap = { readonly descriptor: number };

/** Each is a descriptor of ours and 2 KB of the kernel's. */
const MOST_KEPT = 512;

type Kept = { readonly map: Promise<IdMap>; users: number };

export class IdMaps {
  readonly #mostKept: number;
  /** Those used last at the end. */
  readonly #kept = new Map<string, Kept>();

  constructor(mostKept = MOST_KEPT) {
    this.#mostKept = mostKept;
  }

  /** The map is there for as long as `work` runs. */
  async use<T>(range: IdRange, work: (map: IdMap) => Promise<T>): Promise<T> {
    const key = `${range.first} ${range.count}`;
    const kept = this.#kept.get(key) ?? { map: make(range), users: 0 };
    kept.users++;
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    try {
      return await work(await kept.map);
    } catch (error) {
      // One that could not be made is tried anew.
      await kept.map.catch(() => {
        if (this.#kept.get(key) === kept) this.#kept.delete(key);
      });
      throw error;
    } finally {
      kept.users--;
      this.#letGo();
    }
  }

  /** How many are held; for tests. */
  get size(): number {
    return this.#kept.size;
  }

  #letGo(): void {
    for (const [key, { map, users }] of this.#kept) {
      if (this.#kept.size <= this.#mostKept) return;
      if (users > 0) continue;
      this.#kept.delete(key);
      // It was made, or it would not be here.
      void map.then(({ descriptor }) => closeSync(descriptor));
    }
  }
}

/** Its own descriptor outlives the program that made it. */
async function make(range: IdRange): Promise<IdMap> {
  return await withUserNamespace(range, async ({ pid }) => ({
    descriptor: openSync(`/proc/${pid}/ns/user`, "r"),
  }));
}
