/** A time of trouble without a loss: whoever is taken for lost in it was taken wrongly. */

import { sql } from "drizzle-orm";
import { sleep } from "../src/lib/wait.ts";
import type { ManyNodes } from "../test/support/many-nodes.ts";

export type QuietOptions = {
  readonly minutes: number;
  readonly say: (text: string) => void;
  readonly signal: AbortSignal;
};

const TURN_MS = 20_000;
const LOSS_PERCENT = 20;
const SLOW_QUERIES = 8;

/** In turns: busy processors, a database that is busy too, packets that get lost on one box. */
export async function keepQuiet(lab: ManyNodes, options: QuietOptions): Promise<{ falseFailovers: number }> {
  const { minutes, say, signal } = options;
  const before = await lab.countTakeovers();
  const endMs = performance.now() + minutes * 60_000;
  const turns = [burnProcessors, burdenDatabase, losePackets];
  if (minutes > 0) say(`${minutes} minutes of load, slow database and lost packets`);
  for (let turn = 0; performance.now() < endMs && !signal.aborted; turn++) {
    const trouble = turns[turn % turns.length];
    await trouble?.(lab, { turn, ms: Math.min(TURN_MS, endMs - performance.now()), signal });
    say(`turn ${turn + 1}: ${(await lab.countTakeovers()) - before} false failovers`);
  }
  return { falseFailovers: (await lab.countTakeovers()) - before };
}

type Turn = { readonly turn: number; readonly ms: number; readonly signal: AbortSignal };

async function burnProcessors(_lab: ManyNodes, { ms, signal }: Turn): Promise<void> {
  const command = ["/bin/sh", "-c", "while :; do :; done"];
  const burners = Array.from({ length: navigator.hardwareConcurrency * 3 }, () => Bun.spawn(command));
  await sleep(ms, signal);
  for (const burner of burners) burner.kill("SIGKILL");
  await Promise.all(burners.map((burner) => burner.exited));
}

async function burdenDatabase(lab: ManyNodes, { ms, signal }: Turn): Promise<void> {
  const endMs = performance.now() + ms;
  const database = lab.server.open();
  const burden = async () => {
    while (performance.now() < endMs && !signal.aborted)
      await database.orm
        .execute(sql`select count(*) from generate_series(1, 500000) where md5(generate_series::text) < '1'`)
        // On a slow machine one may take longer than the server allows: it has been a burden until then.
        .catch(() => {});
  };
  await Promise.all(Array.from({ length: SLOW_QUERIES }, burden));
  await database.close();
}

async function losePackets(lab: ManyNodes, { turn, ms, signal }: Turn): Promise<void> {
  const node = lab.nodes[turn % lab.nodes.length];
  if (node === undefined) return;
  await lab.losePackets(node, LOSS_PERCENT);
  await sleep(ms, signal);
  await lab.losePackets(node, 0);
}
