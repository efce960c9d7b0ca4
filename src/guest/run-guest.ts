/**
 * The agent inside a desktop (`qvd guest run`): keeps the guest channel attached, does the node's orders,
 * and tells it that the desktop lives. Started again for ever by init. Its own end, even by SIGKILL, ends
 * nothing: the next agent finds the session again.
 */

import { writeFileSync } from "node:fs";
import type { Clock } from "../lib/clock.ts";
import { describeError } from "../lib/errors.ts";
import type { Log } from "../lib/log.ts";
import { sleep, waitFor } from "../lib/wait.ts";
import {
  BEAT_MS,
  type ChannelName,
  type FromGuest,
  type GuestAccount,
  type GuestHook,
} from "../wire/guest/messages.ts";
import { attach, type Link, type Order } from "./attach.ts";
import { type Dial, dialSocket } from "./dial.ts";
import type { GuestHooks } from "./hooks/hooks.ts";
import { noteIncarnation } from "./note-incarnation.ts";
import type { Peripherals } from "./peripherals/peripherals.ts";
import type { GuestPlaces } from "./places.ts";
import { watchPowerOff } from "./power-off.ts";
import type { Provisioned, ProvisioningHook } from "./provision.ts";
import { adoptEarlyStart } from "./session/adopt-early-start.ts";
import { GuestSession, type OwnServer, type SessionDisplay } from "./session/guest-session.ts";
import type { Launched, LaunchInput } from "./session/launch.ts";
import type { OrderOutcome } from "./session/order.ts";
import { readRecord } from "./session/record.ts";
import type { SessionLimits } from "./session/session-limits.ts";
import { takeOrderAhead } from "./take-order-ahead.ts";
import { UnlockDoor, type UnlockDoorDeps } from "./unlock-door.ts";

export type GuestDeps = {
  readonly places: GuestPlaces;
  /** Where the node is found; at its socket when left out. */
  readonly dial?: Dial;
  readonly log: Log;
  readonly clock: Clock;
  readonly random: () => string;
  /** Returns the id of this boot. */
  readonly prepareMachine: () => string;
  /** Puts files in place that nobody needs before there is a session. */
  readonly completeMachine?: () => void;
  readonly provision: (account: GuestAccount, hook: ProvisioningHook) => Promise<Provisioned>;
  /** The image's own; none when not given. */
  readonly openHooks?: (onFailure: (hook: GuestHook, text: string) => void) => GuestHooks;
  readonly launch: (input: LaunchInput) => Launched;
  readonly isPortOpen: () => boolean;
  /** What shows the session to a browser; without it only NX clients are served. */
  readonly display?: SessionDisplay;
  /** Serves sessions that begin in a browser; without it nxagent does. */
  readonly ownServer?: OwnServer;
  /** Gives the desktop the time zone of the client that comes. */
  readonly setTimeZone?: (zone: string) => void;
  readonly linkHome?: (wanted: string, home: string) => void;
  /** Sound, printing and shared folders; none when not given. */
  readonly openPeripherals?: (onFailure: (channel: ChannelName, text: string) => void) => Peripherals;
  /** Resolves with false when nothing could be shown. */
  readonly showNotice: (text: string) => Promise<boolean>;
  readonly observe: () => { readonly uptimeSeconds: number; readonly address: string | null };
  readonly limits?: Partial<SessionLimits>;
};

/** Tells init to take the desktop down; any other code means "start me again". */
export const POWER_OFF_EXIT_CODE = 80;

/** How long the news of a power-off may wait for the node, and how long sent words may take to leave. */
const NEWS_TIMEOUT_MS = 3_000;
const FAREWELL_MS = 100;
/** nxagent needs 3 ms to suspend: the node hears of what lasts longer, and needn't report the same desktop twice. */
const PASSING_MS = 20;
/** The agent's first words are out by then. */
const GREETING_MS = 1;

/** Runs until the signal aborts (0) or the desktop is to power off (80). The session outlives the former. */
export async function runGuest(deps: GuestDeps, signal: AbortSignal): Promise<number> {
  const boot = deps.prepareMachine();
  const over = new AbortController();
  let isPoweringOff = false;
  let link: Link | undefined;
  const send = (message: FromGuest): boolean => {
    link?.send(message);
    return link !== undefined;
  };
  const extras = openExtras(deps, send);
  const [door, teller] = [openDoor(deps, send), openTeller(send)];
  const session: GuestSession = new GuestSession({ ...deps, ...extras, onChange: reportSession });
  const begun = begin(deps, session);

  function reportSession() {
    door.admit();
    extras.peripherals?.follow(session.state);
    teller.tell(session);
  }
  function beat() {
    session.observe();
    send({ type: "beat", ...deps.observe() });
  }
  function powerOff() {
    isPoweringOff = true;
    setTimeout(() => over.abort(), FAREWELL_MS);
  }
  async function powerOffFromInside() {
    await begun;
    await takeLeave(deps, session, { isAttached: () => link !== undefined, send });
    powerOff();
  }
  async function obey(order: Order, from: Link) {
    await begun;
    const outcome = await execute(session, order, deps);
    from.send(answerOf(order, outcome));
    // A refusal by the image's hook is the agent's; the node goes on by other means if it must.
    if (order.type === "power-off" && (outcome.isGood || outcome.fault !== "hook-failed")) powerOff();
  }

  const stopWatching = watchPowerOff(deps.places, () => void powerOffFromInside());
  const beats = setInterval(beat, BEAT_MS);
  const { log, random, dial = dialSocket(deps.places.socket) } = deps;
  await attach(
    {
      ...{ dial, boot, log, random },
      onAttached: (made, { incarnation }) => {
        link = made;
        if (incarnation !== undefined) noteIncarnation(deps.places.incarnation, incarnation);
        void begun.then(reportSession).then(beat);
      },
      onDetached: () => {
        link = undefined;
      },
      onOrder: (order, from) => void obey(order, from),
      onUnlockAnswer: (answer) => door.answer(answer),
    },
    AbortSignal.any([signal, over.signal]),
  );
  clearInterval(beats);
  teller.close();
  stopWatching();
  door.close();
  session.close();
  if (!isPoweringOff) return 0;
  writeFileSync(deps.places.powerOff, "power-off\n");
  return POWER_OFF_EXIT_CODE;
}

/** Tells the node of a power-off that was asked inside, and ends the session. */
async function takeLeave(
  { log }: Pick<GuestDeps, "log">,
  session: GuestSession,
  node: { readonly isAttached: () => boolean; readonly send: (message: FromGuest) => boolean },
): Promise<void> {
  log.info("power-off-asked-inside");
  await waitFor(node.isAttached, { timeoutMs: NEWS_TIMEOUT_MS, everyMs: 50 });
  node.send({ type: "powering-off" });
  // Its hook is asked, and what it says is told; but whoever powers a desktop off from inside is obeyed.
  const outcome = await session.powerOff();
  if (!outcome.isGood) await session.stop();
}

/**
 * Finds the session again, or begins with the one that somebody waits for. The node hears of us before: it has things to
 * do as well.
 */
async function begin(deps: GuestDeps, session: GuestSession): Promise<void> {
  await sleep(GREETING_MS);
  deps.completeMachine?.();
  const ahead = takeOrderAhead(deps.places, deps.log);
  if (ahead !== undefined) await adoptEarlyStart(deps.places, ahead, deps);
  session.recover();
  if (ahead !== undefined) session.prepareAhead(ahead);
}

/** Tells of the session as it is then. */
function openTeller(send: (message: FromGuest) => boolean) {
  let passing: Timer | undefined;
  const tell = ({ state, session }: Pick<GuestSession, "state" | "session">) => {
    send({ type: "session", state, session });
  };
  return {
    tell: (session: GuestSession) => {
      clearTimeout(passing);
      if (session.state === "suspending") passing = setTimeout(() => tell(session), PASSING_MS);
      else tell(session);
    },
    close: () => clearTimeout(passing),
  };
}

function openDoor({ places, log }: GuestDeps, send: UnlockDoorDeps["send"]): UnlockDoor {
  return new UnlockDoor({ path: places.unlock, log, whose: () => readRecord(places.record), send });
}

/** What an image may have and a test may leave out. What goes wrong in it is told, and the session goes on. */
function openExtras(deps: GuestDeps, send: (message: FromGuest) => void) {
  const hooks = deps.openHooks?.((hook, text) => send({ type: "hook", hook, text }));
  const peripherals = deps.openPeripherals?.((channel, text) => send({ type: "channel", channel, text }));
  return {
    ...(hooks === undefined ? {} : { hooks }),
    ...(peripherals === undefined ? {} : { peripherals, onLine: (line: string) => peripherals.hear(line) }),
  };
}

function answerOf({ order }: Order, outcome: OrderOutcome): FromGuest {
  if (outcome.isGood) return { type: "done", order };
  return { type: "failed", order, fault: outcome.fault, text: outcome.text };
}

async function execute(
  session: GuestSession,
  order: Order,
  { log, showNotice }: Pick<GuestDeps, "log" | "showNotice">,
): Promise<OrderOutcome> {
  try {
    switch (order.type) {
      case "session-prepare":
        return await session.prepare(order);
      case "session-suspend":
        return await session.suspend();
      case "session-stop":
        return await session.stop();
      case "power-off":
        return await session.powerOff();
      case "notice":
        return await tell(session, order, showNotice);
    }
  } catch (error) {
    // A full disk, for one: the node shall hear of it, and the next order may fare better.
    log.error("guest-order-failed", { order: order.type, error });
    return { isGood: false, fault: "session-start-failed", text: reasonOf(error) };
  }
}

function reasonOf(error: unknown): string {
  const isFull = error instanceof Error && Reflect.get(error, "code") === "ENOSPC";
  return isFull
    ? "a disk of the desktop is full: that of its home, or that of its agent's folder"
    : describeError(error);
}

/** Of an expiry the image's hook is told first; it may show the person something of its own. */
async function tell(
  session: GuestSession,
  { text, expiry }: Extract<Order, { type: "notice" }>,
  showNotice: GuestDeps["showNotice"],
): Promise<OrderOutcome> {
  const refusal = expiry === undefined ? undefined : await session.expire(expiry);
  if (refusal !== undefined) return refusal;
  if (await showNotice(text)) return { isGood: true };
  return { isGood: false, fault: "notice-failed", text: "the image has no program that shows a notice" };
}
