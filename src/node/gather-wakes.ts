/** Wakes on their way to other boxes: the first goes at once; what comes within the next 100 ms goes together. */

import { formatWake, WAKE_TOPICS, type Wake } from "../wire/wake/messages.ts";

const NOTIFY_EVERY_MS = 100;

/** `notify` gets wakes a line each; more than `mostWakes()` become one for each topic. */
export function gatherWakes(notify: (payload: string) => void, mostWakes: () => number) {
  const waiting = new Map<string, Wake>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const flush = () => {
    timer = undefined;
    if (waiting.size === 0) return;
    const lines = waiting.size > mostWakes() ? formatTopics([...waiting.values()]) : [...waiting.keys()];
    waiting.clear();
    timer = setTimeout(flush, NOTIFY_EVERY_MS);
    notify(lines.join("\n"));
  };
  return {
    add: (wake: Wake) => {
      waiting.set(formatWake(wake), wake);
      if (timer === undefined) flush();
    },
    stop: () => clearTimeout(timer),
  };
}

function formatTopics(wakes: readonly Wake[]): readonly string[] {
  return WAKE_TOPICS.filter((topic) => wakes.some((wake) => wake.topic === topic)).map((topic) =>
    formatWake({ topic }),
  );
}
