/** Parts of a whole as one bar. The legend beside it says the same in words, so the bar itself is decoration. */

import type { Tone } from "../../ui/tone.ts";

const FILLS = {
  good: "bar-good",
  busy: "bar-busy",
  warn: "bar-warn",
  bad: "bar-bad",
  idle: "bar-idle",
} as const satisfies Record<Tone, string>;

export type Share = { readonly tone: Tone; readonly count: number };

export function ShareBar(props: { readonly shares: readonly Share[] }) {
  const total = props.shares.reduce((sum, share) => sum + share.count, 0);
  let left = 0;
  return (
    <svg class="bar" viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true" focusable="false">
      {props.shares
        .filter((share) => share.count > 0)
        .map((share) => {
          const width = (share.count / total) * 100;
          const rect = <rect class={FILLS[share.tone]} x={left} y="0" width={width} height="1" />;
          left += width;
          return rect;
        })}
    </svg>
  );
}
