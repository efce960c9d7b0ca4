/** Where a benchmark's box lies on the machine; all that must not collide with another's follows from its name. */

import { type Layout, layoutOf } from "../src/domain/node/layout.ts";

export type BenchPlace = {
  readonly instance: string;
  readonly folder: string;
  readonly layout: Layout;
  readonly executable: string;
  readonly cidr: string;
  readonly brokerPort: number;
  readonly adminPort: number;
};

/** That no two of ours fall on the same is seen to by the architecture test. */
export function placeOf(instance: string): BenchPlace {
  const folder = `/var/tmp/qvd-${instance}`;
  const number = [...instance].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 97, 7);
  return {
    instance,
    folder,
    layout: layoutOf(`${folder}/state`, `${folder}/run`),
    executable: `${folder}/state/bin/qvd`,
    // Below 10.200, where those of tests begin.
    cidr: `10.${100 + number}.0.0/16`,
    brokerPort: 20_000 + number * 2,
    adminPort: 20_001 + number * 2,
  };
}
