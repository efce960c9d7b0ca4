/**
 * A person's way to their desktop and back after a break: sign in, choose, wait with what the broker tells, show.
 *
 *     sign in ──► choose ──► ask for the session ──► show ──► (closed on this side) done
 *                                 ▲                    │
 *                                 │                    ▼
 *                                 └── (it goes on) ── wait, ask whether it is over ──► (it is) done
 */

import { randomBytes } from "node:crypto";
import { backoffMs } from "../lib/backoff.ts";
import { AppError, describeError, isAppError } from "../lib/errors.ts";
import { sleep } from "../lib/wait.ts";
import { type Authorization, BrokerConnection, type Place } from "./broker-connection.ts";
import { type ChannelWish, channelParameters, NO_CHANNELS } from "./channels/channels.ts";
import { chooseDesktop, isNamed, type ListedDesktop, parseDesktops } from "./desktops.ts";
import { pingBroker } from "./meet-broker.ts";
import { requireNxproxy, startViewer, type ViewEnd, type Viewer } from "./nx-viewer.ts";
import { plainText } from "./plain-text.ts";
import { describeProgress } from "./progress-words.ts";
import { askApplications, askFate, askToken, giveBackToken, type SessionFate } from "./session-questions.ts";
import type { ShownCertificate } from "./trust-broker.ts";

export type ConnectOptions = {
  readonly place: Place;
  readonly authorities?: readonly string[] | undefined;
  readonly login: string;
  readonly password: string;
  /** Id or name. */
  readonly vm?: string | undefined;
  /** As WIDTHxHEIGHT. */
  readonly geometry: string;
  readonly link: string;
  readonly keyboard: string;
  /** Environment of what shows the desktop. */
  readonly displayEnv: Readonly<Record<string, string>>;
  /** The whole X server is the desktop's. */
  readonly isFullscreen: boolean;
  /** What of the PC the desktop gets beside its screen; nothing when left out. */
  readonly channels?: ChannelWish;
};

export type ConnectDeps = {
  /** For the person: what happens. */
  readonly say: (text: string) => void;
  /** Throws when the certificate isn't to be believed. */
  readonly requireTrust: (shown: ShownCertificate) => Promise<void>;
  /** Asked when there are several and none was named. */
  readonly choose: (desktops: readonly ListedDesktop[]) => Promise<ListedDesktop>;
  readonly signal: AbortSignal;
  readonly times?: Partial<ConnectTimes>;
};

export type ConnectTimes = Readonly<Record<keyof typeof TIMES, number>>;

const TIMES = {
  /** Silence after something was sent, until the broker is asked whether it is there. */
  silenceMs: 20_000,
  lookEveryMs: 5_000,
  /** How long a lost session is asked for again. */
  retryMs: 10 * 60_000,
  firstRetryMs: 500,
  mostRetryMs: 15_000,
} as const;

const LAST_WORD_MS = 3_000;

type Signed = { readonly authorization: Authorization; readonly desktop: ListedDesktop };

/**
 * Returns how the session ended; a break is mended meanwhile. Throws when it can't be begun, or not again. Whoever
 * aborts leaves: the session is lost to them, and waits.
 */
export async function runConnect(options: ConnectOptions, deps: ConnectDeps): Promise<ViewEnd> {
  const surroundings = { options, deps, times: { ...TIMES, ...deps.times } };
  // A desktop that nobody can show needn't start.
  requireNxproxy(options.displayEnv);
  try {
    const session = await beginSession(options, deps);
    return await showSession(session, surroundings).finally(() => giveBack(session, surroundings));
  } catch (error) {
    if (deps.signal.aborted) return { kind: "lost", why: "interrupted" };
    throw error;
  }
}

async function showSession(first: Session, surroundings: Surroundings): Promise<ViewEnd> {
  const { options, deps } = surroundings;
  for (let session = first; ; ) {
    deps.say(`connected to ${session.desktop.name}`);
    const viewer = await startViewer({
      session: session.connection.take(),
      slaveKey: session.slaveKey,
      env: options.displayEnv,
      link: options.link,
      ...(options.channels === undefined ? {} : { channels: options.channels }),
      say: deps.say,
    });
    const end = await watch(viewer, surroundings).finally(() => viewer.stop());
    if (end.kind === "closed" || deps.signal.aborted) return end;
    const again = await beginAgain(session, { end, ...surroundings });
    if ("kind" in again) return again;
    session = again;
  }
}

/** A token that nobody gives back lies there until its time is over. */
async function giveBack({ authorization }: Session, { options, deps }: Surroundings): Promise<void> {
  try {
    // Also for whoever has aborted.
    const connection = await open(options, { ...deps, signal: AbortSignal.timeout(LAST_WORD_MS) });
    await giveBackToken(connection, authorization).finally(() => connection.close());
  } catch {
    // The broker is away; the token opens nothing but this desktop, and ends by itself.
  }
}

type Session = Signed & { readonly connection: BrokerConnection; readonly slaveKey: string };
type Surroundings = {
  readonly options: ConnectOptions;
  readonly deps: ConnectDeps;
  readonly times: ConnectTimes;
};

async function beginSession(options: ConnectOptions, deps: ConnectDeps): Promise<Session> {
  const { login, vm } = options;
  const connection = await open(options, deps);
  try {
    const authorization = byPassword(options);
    const list = await connection.ask(
      "/qvd/list_of_vm",
      { Authorization: authorization, Accept: "application/json" },
      // In a crowd: where they stand.
      deps.say,
    );
    if (list.status !== 200) throw refused(list.status, { doing: `signing in as ${login}`, body: list.body });
    const listed = parseDesktops(list.body);
    const isAmong = listed.some((one) => vm === undefined || isNamed(one, vm));
    // Applications are listed apart.
    const desktops = isAmong ? listed : [...listed, ...(await askApplications(connection, authorization))];
    const desktop =
      chooseDesktop(desktops, vm) ?? (await deps.choose(desktops.filter((one) => one.blocked === 0)));
    const token = await askToken(connection, { authorization, vmId: desktop.id });
    const slaveKey = await askSession(connection, { authorization, desktop }, { options, deps });
    // The password may hold a code that is good once; what connects again is the token, where there is one.
    return { connection, slaveKey, desktop, authorization: token ?? authorization };
  } catch (error) {
    connection.close();
    throw error;
  }
}

/** Returns the session's key for the channel of shared folders. */
async function askSession(
  connection: BrokerConnection,
  { authorization, desktop }: Signed,
  { options, deps }: Omit<Surroundings, "times">,
): Promise<string> {
  const { geometry, link, keyboard, isFullscreen, channels = NO_CHANNELS } = options;
  const query = new URLSearchParams({
    id: String(desktop.id),
    "qvd.client.os": "linux",
    "qvd.client.link": link,
    "qvd.client.keyboard": keyboard,
    "qvd.client.geometry": geometry,
    "qvd.client.fullscreen": isFullscreen ? "1" : "0",
    ...channelParameters(channels),
  });
  let lastNews = "";
  const answer = await connection.ask(
    `/qvd/connect_to_vm?${query}`,
    { Authorization: authorization, Connection: "Upgrade", Upgrade: "QVD/1.0" },
    (said) => {
      const { text, news } = describeProgress(said);
      if (news !== lastNews) deps.say(text);
      lastNews = news;
    },
  );
  if (answer.status !== 101)
    throw refused(answer.status, { doing: `connecting to ${desktop.name}`, body: answer.body });
  return answer.headers.get("x-qvd-slave-key") ?? "";
}

/**
 * The session again, or how it ended when the broker says that it is over: one that was killed closes its connections just as one
 * that ends a session does. Nobody's session is taken from where it goes on now.
 */
async function beginAgain(
  before: Session,
  { end, options, deps, times }: Surroundings & { readonly end: Exclude<ViewEnd, { kind: "closed" }> },
): Promise<Session | ViewEnd> {
  const untilMs = performance.now() + times.retryMs;
  const password = byPassword(options);
  let known = before;
  // After a request of ours the session before is superseded by ourselves.
  let isOurs = false;
  for (let tries = 1; ; tries++) {
    const waitMs = backoffMs(tries, { firstMs: times.firstRetryMs, mostMs: times.mostRetryMs });
    await sleep(waitMs * (0.75 + (randomBytes(1)[0] ?? 0) / 512), deps.signal);
    deps.signal.throwIfAborted();
    try {
      const connection = await open(options, deps);
      try {
        const fate = isOurs ? OPEN : await askFate(connection, { ...known, vmId: known.desktop.id });
        if (fate.kind === "over") return leave(connection, { kind: "ended", why: fate.why });
        if (fate.kind === "unknown" && end.kind === "ended") return leave(connection, end);
        if (!isOurs) deps.say(`the connection was lost (${whyLost(end)}); connecting again`);
        isOurs = true;
        const slaveKey = await askSession(connection, known, { options, deps });
        return { ...known, connection, slaveKey };
      } catch (error) {
        connection.close();
        throw error;
      }
    } catch (error) {
      if (isDenied(error)) {
        if (known.authorization === password) return leaveDenied(known, isOurs ? undefined : end);
        // A token is over sooner than some sessions. The password is good again unless it held a code.
        known = { ...known, authorization: password };
        continue;
      }
      if (!isPassing(error) || performance.now() >= untilMs) throw error;
      deps.say(describeError(error));
    }
  }
}

/** Nobody is let in who could ask what became of the session; an end in order is taken for one. */
function leaveDenied({ desktop }: Session, end: ViewEnd | undefined): ViewEnd {
  if (end?.kind === "ended") return end;
  throw new AppError(
    "not-signed-in",
    `the connection was lost, and neither what this client had for its return nor the password lets it in any more. ${desktop.name} waits: connect again`,
  );
}

const OPEN: SessionFate = { kind: "open" };

function leave(connection: BrokerConnection, end: ViewEnd): ViewEnd {
  connection.close();
  return end;
}

function whyLost(end: Exclude<ViewEnd, { kind: "closed" }>): string {
  return end.kind === "lost" ? end.why : "the broker closed it";
}

function byPassword({ login, password }: ConnectOptions): Authorization {
  return `Basic ${Buffer.from(`${login}:${password}`).toString("base64")}`;
}

function isDenied(error: unknown): boolean {
  return isAppError(error) && error.code === "not-signed-in";
}

/** What may be over in a moment: a network, a broker, a box that is away. */
function isPassing(error: unknown): boolean {
  return isAppError(error) && (error.code === "unavailable" || error.code === "timeout");
}

/**
 * Waits for the end of the view. A network that was cut tells nothing for many minutes: when something was sent and
 * nothing came back for a while, the broker is asked anew, and when it answers the old connection is dead.
 */
async function watch(viewer: Viewer, { options, deps, times }: Surroundings): Promise<ViewEnd> {
  const stop = () => viewer.giveUp("interrupted");
  deps.signal.addEventListener("abort", stop, { once: true });
  try {
    for (;;) {
      const end = await Promise.race([viewer.ended, sleep(times.lookEveryMs).then(() => undefined)]);
      if (end !== undefined) return end;
      const heardMs = viewer.lastReceivedMs();
      const isSilent = viewer.lastSentMs() > heardMs && performance.now() - heardMs > times.silenceMs;
      if (isSilent && (await isBrokerThere(options, deps)) && viewer.lastReceivedMs() === heardMs)
        viewer.giveUp("nothing came any more");
    }
  } finally {
    deps.signal.removeEventListener("abort", stop);
  }
}

async function isBrokerThere(options: ConnectOptions, deps: ConnectDeps): Promise<boolean> {
  try {
    return (await pingBroker(openOptions(options, deps))).status === 200;
  } catch {
    // Not there, which is what was asked.
    return false;
  }
}

function open(options: ConnectOptions, deps: ConnectDeps) {
  return BrokerConnection.open(openOptions(options, deps));
}

function openOptions({ place, authorities }: ConnectOptions, { requireTrust, signal }: ConnectDeps) {
  return { place, authorities, requireTrust, signal };
}

/** The broker says no more than 401. */
const DENIED =
  "wrong login or password. Where a second factor is asked for, its code goes at the password's end; one that is required has to be set up first, in a browser at the broker's address";

function refused(
  status: number,
  { doing, body }: { readonly doing: string; readonly body: string },
): AppError {
  const said = plainText(body).trim().replaceAll(/\s+/g, " ").slice(0, 300);
  if (status === 401) return new AppError("not-signed-in", `${doing} failed: ${DENIED}`);
  if (status === 403) return new AppError("forbidden", `${doing} was refused: ${said || "not allowed"}`);
  if (status === 404) return new AppError("not-found", `${doing} failed: ${said || "it isn't there"}`);
  return new AppError("unavailable", `${doing} failed: ${said || `the broker answered ${status}`}`);
}
