/**
 * One person's way to a desktop, timed: TLS, list, connect, the 101, then Debian's own nxproxy on a screen
 * until the desktop's colour is seen.
 */

import { connect, createServer } from "node:net";
import { startNxViewer } from "../script/lib/check/nx-viewer.ts";
import { QvdConnection, type Target } from "../script/lib/check/qvd-connection.ts";
import { sleep } from "../src/lib/wait.ts";
import type { Colour, Screen } from "./screen.ts";

/** Moments by performance.now(). */
export type VisitTimes = {
  readonly start: number;
  /** TLS stands, the list is asked for. */
  readonly secured: number;
  /** The list has come, the desktop is asked for. */
  readonly asked: number;
  readonly switched: number;
  readonly pixel: number;
};

export type Visit = {
  readonly at: VisitTimes;
  /** Leaves as a crashed client would; the session is suspended. */
  leave(): Promise<void>;
};

const GEOMETRY = "1024x768";
/** Room for a window of that size and its frame; a larger screen takes longer to read. */
export const SCREEN_SIZE = "1040x800";
const DEADLINE_MS = 90_000;

/** Connects, shows, and returns when the desktop is seen. */
export async function visitDesktop(
  screen: Screen,
  who: { readonly target: Target; readonly vmId: number },
  colour: Colour,
): Promise<Visit> {
  const start = performance.now();
  const connection = await QvdConnection.open(who.target);
  try {
    const secured = performance.now();
    const list = await connection.list();
    if (list.status !== 200) throw new Error(`list_of_vm answered ${list.status}: ${list.body}`);
    const asked = performance.now();
    const { final } = await connection.connect(who.vmId, GEOMETRY);
    if (final.status !== 101) throw new Error(`connect_to_vm answered ${final.status}: ${final.body}`);
    const switched = performance.now();
    const viewer = await startNxViewer(connection, screen);
    const pixel = await waitForColour(screen, colour, viewer.hasEnded);
    return { at: { start, secured, asked, switched, pixel }, leave: () => viewer.drop() };
  } catch (error) {
    connection.close();
    throw error;
  }
}

export type DirectView = { readonly pixelAt: number; close(): Promise<void> };

/**
 * nxproxy to an nxagent without a broker, but through a local port as with every QVD client: nxagent pauses for
 * 0.5 s after a session's start when an event of the window manager comes a little late, and how often it does
 * depends on the hops in between.
 */
export async function showDirectly(
  screen: Screen,
  agent: { readonly address: string; readonly port: number },
  colour: Colour,
): Promise<DirectView> {
  const display = (await openRelay(agent)) - 4000;
  const proxy = Bun.spawn(["nxproxy", "-S", `localhost:${display}`], {
    env: { ...screen.env },
    stdio: ["ignore", "ignore", "ignore"],
  });
  const close = async () => {
    proxy.kill("SIGKILL");
    await proxy.exited;
  };
  try {
    return { pixelAt: await waitForColour(screen, colour, () => proxy.exitCode !== null), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Takes one visitor; returns the port. */
async function openRelay(agent: { readonly address: string; readonly port: number }): Promise<number> {
  const server = createServer({ noDelay: true }, (local) => {
    server.close();
    const remote = connect({ host: agent.address, port: agent.port, noDelay: true });
    local.on("error", () => remote.destroy());
    remote.on("error", () => local.destroy());
    local.pipe(remote);
    remote.pipe(local);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no local port was given");
  return address.port;
}

/** When the colour was seen on a fifth of the screen. */
async function waitForColour(screen: Screen, colour: Colour, hasEnded: () => boolean): Promise<number> {
  const end = performance.now() + DEADLINE_MS;
  while ((await screen.readCover(colour)) < 0.2) {
    if (performance.now() > end || hasEnded()) throw new Error("the desktop was not seen on the screen");
    await sleep(5);
  }
  return performance.now();
}
