/**
 * A person in a session: asks the broker as a client does, and shows the desktop with Debian's own nxproxy on
 * a screen. Counts what comes, so that a test can tell whether the stream ever stood still.
 */

import { createServer, type Server, type Socket } from "node:net";
import { type Colour, parseColour, type Screen } from "../../bench/screen.ts";
import { run } from "../../src/lib/run.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { basic, connectRequest } from "./broker-door.ts";
import { WINDOW_COLOUR } from "./fault-images.ts";
import { LivedTime } from "./lived-time.ts";
import { QvdClient } from "./qvd-client.ts";

export type Person = {
  readonly login: string;
  readonly password: string;
  readonly vmId: number;
};

export type Answer = { readonly status: number; readonly body: string; readonly tookMs: number };

/** What the visitor waits for, and how long; a slow machine needs more. */
export type Look = {
  readonly colour?: string;
  readonly shownMs?: number;
  readonly answerMs?: number;
  /** Of the broker; this machine's where none is given. */
  readonly host?: string;
};

const SHOWN_MS = 60_000;
const FOCUS_MS = 60_000;
/** Of a silence; it needs no closer look. */
const SHORT_MS = 500;
/** Who has the keyboard while no window has it. */
const UNFOCUSED = "Openbox";

/** Sends the request for a session on a connection of its own; the caller waits for what it needs. */
export async function askForSession(port: number, person: Person, host?: string): Promise<QvdClient> {
  const client = await QvdClient.open(port, host);
  client.send(sessionRequest(person));
  return client;
}

export function sessionRequest({ login, password, vmId }: Person): string {
  return connectRequest(vmId, { login }).replace(basic(login), basic(login, password));
}

/** The final answer to a request for a session, and how long it took. */
export async function askOnce(port: number, person: Person, timeoutMs = 60_000): Promise<Answer> {
  const startMs = performance.now();
  const client = await askForSession(port, person);
  try {
    const { status, body } = await client.answer(timeoutMs);
    return { status, body, tookMs: performance.now() - startMs };
  } finally {
    client.terminate();
  }
}

export class Visit {
  readonly #screen: Screen;
  readonly #client: QvdClient;
  readonly #proxy: Bun.Subprocess;
  readonly #arrivalsMs: number[];
  readonly #time = new LivedTime();

  /** Resolves when the desktop's window is seen; throws with the broker's answer when it is no 101. */
  static async open(screen: Screen, port: number, person: Person, look: Look = {}): Promise<Visit> {
    const { colour = WINDOW_COLOUR, shownMs = SHOWN_MS, answerMs = 60_000, host } = look;
    const client = await askForSession(port, person, host);
    const { status, body } = await client.answer(answerMs);
    if (status !== 101) throw new Error(`the broker answered ${status}: ${body}`);
    const arrivalsMs: number[] = [];
    const display = await bridge(client, () => arrivalsMs.push(performance.now()));
    const command = ["nxproxy", "-S", `localhost:${display}`];
    const proxy = Bun.spawn(command, { env: { ...screen.env }, stdio: ["ignore", "ignore", "ignore"] });
    const visit = new Visit(screen, { client, proxy, arrivalsMs });
    if (!(await visit.sees(parseColour(colour), shownMs))) {
      await visit.leave();
      throw new Error(`the desktop was not seen; ${arrivalsMs.length} chunks came`);
    }
    return visit;
  }

  private constructor(
    screen: Screen,
    of: { client: QvdClient; proxy: Bun.Subprocess; arrivalsMs: number[] },
  ) {
    this.#screen = screen;
    this.#client = of.client;
    this.#proxy = of.proxy;
    this.#arrivalsMs = of.arrivalsMs;
  }

  get isOver(): boolean {
    return this.#client.hasEnded || this.#client.isClosed;
  }

  async sees(colour: Colour, shownMs = SHOWN_MS): Promise<boolean> {
    const isSeen = async () => (await this.#screen.readCover(colour)) > 0.1;
    return (await waitFor(isSeen, { timeoutMs: shownMs, everyMs: 50 })) === true;
  }

  /** The longest that nothing came since `sinceMs` by performance.now(), until now; not counting that the machine stood still. */
  longestSilenceMs(sinceMs: number): number {
    const moments = [sinceMs, ...this.#arrivalsMs.filter((at) => at >= sinceMs), performance.now()];
    const silences = moments.slice(1).map((at, index) => {
      const from = moments[index] ?? at;
      return at - from < SHORT_MS ? at - from : this.#time.between(from, at);
    });
    return Math.max(...silences);
  }

  async type(text: string): Promise<void> {
    const { env } = this.#screen;
    await this.#takeFocus();
    await run(["xdotool", "type", "--delay", "15", text], { env });
    // A line end among what is typed would be the key Linefeed, which not every keyboard has.
    await run(["xdotool", "key", "Return"], { env });
  }

  /** Keys that come before the window manager has given a window the focus are nobody's. */
  async #takeFocus(): Promise<void> {
    const { env } = this.#screen;
    const hasFocus = async () => {
      await run(["xdotool", "mousemove", "200", "200", "sleep", "0.1", "click", "1", "sleep", "0.2"], {
        env,
      });
      const { exitCode, stdout } = await run(["xdotool", "getwindowfocus", "getwindowname"], { env });
      return exitCode === 0 && stdout.trim() !== UNFOCUSED;
    };
    if (!(await waitFor(hasFocus, { timeoutMs: FOCUS_MS })))
      throw new Error("no window of the session has the focus");
  }

  /** Cuts the connection, as a client's crash does. */
  async leave(): Promise<void> {
    this.#proxy.kill("SIGKILL");
    await this.#proxy.exited;
    this.#time.stop();
    this.#client.terminate();
  }
}

/** The display number of a local port that leads into the session; it takes one visitor. */
async function bridge(client: QvdClient, onArrival: () => void): Promise<number> {
  const server = createServer({ noDelay: true }, (local) => join(client, { local, server, onArrival }));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no local port was given");
  return address.port - 4000;
}

function join(
  client: QvdClient,
  to: { readonly local: Socket; readonly server: Server; readonly onArrival: () => void },
): void {
  const { local, server, onArrival } = to;
  server.close();
  client.pipeTo((chunk) => {
    onArrival();
    local.write(chunk);
  });
  local.on("data", (chunk) => client.send(chunk));
  local.on("close", () => client.close());
  // The end is what tells; a reset here is one of the ways in which nxproxy leaves.
  local.on("error", () => client.terminate());
}
