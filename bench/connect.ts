/**
 * How long a person waits for a desktop that runs: list, connect, 101. The guest's part (nxagent woken until
 * it listens) is told apart by the trail: from `session-preparing` to `session-listening`, both written by the
 * node, so that two of its database writes are counted as the guest's. The rest is the broker's and the node's.
 */

import { hashPassword, verifyPassword } from "../src/auth/password.ts";
import { type Bench, type BenchIo, type Figure, figure, median, percentile } from "./bench.ts";
import { onStage, STAGE_NEEDS } from "./desktop-stage.ts";
import { bringTo, readTrailTimes, waitForSuspended } from "./rounds.ts";

const ROUNDS = 15;
const MOST_SHARE_MS = 150;

export const connectBench: Bench = {
  name: "connect",
  summary: "list to 101 on a running desktop: the broker's and the node's share apart from the guest's",
  needs: STAGE_NEEDS,
  run,
};

async function run(io: BenchIo): Promise<Figure[]> {
  return onStage(io, "benchcon", async ({ box, person, visit }) => {
    await bringTo(box, [person.vmId], "running");
    const rounds: Round[] = [];
    for (let round = 0; round <= ROUNDS && !io.signal.aborted; round++) {
      // A real visit: a client that says nothing after the 101 would abort the X session.
      const { at, leave } = await visit();
      await leave();
      const trail = await readTrailTimes(box, person.vmId, ["session-preparing", "session-listening"]);
      await waitForSuspended(box, person.vmId);
      // The first starts the X session; that is a cold connect.
      if (round === 0) continue;
      const guestMs = (trail.get("session-listening") ?? 0) - (trail.get("session-preparing") ?? 0);
      const one = {
        tlsMs: at.secured - at.start,
        listMs: at.asked - at.secured,
        guestMs,
        connectMs: at.switched - at.asked - guestMs,
      };
      rounds.push(one);
      io.say(
        `round ${round}: ${Object.values(one).map(Math.round).join(" + ")} ms (TLS, list, guest, connect)`,
      );
    }
    return describe(rounds, await measureHash());
  });
}

/** Parts of one connect, in milliseconds; `connectMs` is without the guest's. */
type Round = {
  readonly tlsMs: number;
  readonly listMs: number;
  readonly guestMs: number;
  readonly connectMs: number;
};

/** Milliseconds that one look at a password costs on this machine, without any process of ours. */
async function measureHash(): Promise<number> {
  const password = "correct horse battery";
  const hash = await hashPassword(password);
  const took: number[] = [];
  for (let i = 0; i < 10; i++) {
    const start = performance.now();
    await verifyPassword(password, hash);
    took.push(performance.now() - start);
  }
  return median(took);
}

function describe(rounds: readonly Round[], hashMs: number): Figure[] {
  const of = (pick: (round: Round) => number) => median(rounds.map(pick));
  const shares = rounds.map(({ listMs, connectMs }) => listMs + connectMs);
  return [
    figure("list → 101 without the guest's part", "ms", {
      ours: median(shares),
      goal: { on: "ours", atMost: MOST_SHARE_MS },
    }),
    figure("the same, 95 % of rounds", "ms", { ours: percentile(shares, 0.95) }),
    figure("of it the list, with the proof of the password", "ms", { ours: of(({ listMs }) => listMs) }),
    figure("of that argon2id alone, measured apart", "ms", { ours: hashMs }),
    figure("of it connect → 101", "ms", { ours: of(({ connectMs }) => connectMs) }),
    figure("besides: the guest's part", "ms", { ours: of(({ guestMs }) => guestMs) }),
    figure("besides: the TLS handshake", "ms", { ours: of(({ tlsMs }) => tlsMs) }),
  ];
}
