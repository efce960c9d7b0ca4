/** What was measured, by figure and relay, and the rows of the table that it makes. Pure. */

import { type Figure, figure, type Goal, median } from "../bench.ts";
import { PEER_NAMES, type PeerName } from "./peers.ts";
import type { RelayName } from "./stage.ts";

export class Samples {
  readonly #values = new Map<string, Map<RelayName, number[]>>();

  keep(key: string, name: RelayName, value: number): void {
    const all = this.#values.get(key) ?? new Map<RelayName, number[]>();
    this.#values.set(key, all);
    all.set(name, [...(all.get(name) ?? []), value]);
  }

  /** The median; undefined where nothing was measured. */
  of(key: string, name: RelayName): number | undefined {
    const values = this.#values.get(key)?.get(name);
    return values === undefined || values.length === 0 ? undefined : median(values);
  }

  /** A row beside each peer that was measured too. The goal is about HAProxy. */
  rows(key: string, name: string, { unit, goal }: { readonly unit: string; readonly goal?: Goal }): Figure[] {
    const ours = this.of(key, "broker");
    if (ours === undefined) return [];
    return PEER_NAMES.flatMap((beside) => {
      const theirs = this.of(key, beside);
      if (theirs === undefined) return [];
      return [
        figure(name, unit, { ours, beside, theirs, ...(beside === "haproxy" && goal ? { goal } : {}) }),
      ];
    });
  }

  /** Of the ratios to a peer; undefined where one is missing. */
  meanRatio(keys: readonly string[], beside: PeerName): number | undefined {
    const ratios = keys.map(
      (key) => (this.of(key, "broker") ?? Number.NaN) / (this.of(key, beside) ?? Number.NaN),
    );
    const mean = ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length;
    return Number.isNaN(mean) ? undefined : mean;
  }
}
