/**
 * Debian's unmodified nxproxy shows the session. It reaches us by a socket in a folder that only this user can
 * enter: a port of the machine would be open to everybody who works on it.
 */

import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { AppError } from "../lib/errors.ts";
import { type Channels, type ChannelWish, NO_CHANNELS, openChannels } from "./channels/channels.ts";

export type ViewEnd =
  /** The viewer was closed on this side. */
  | { readonly kind: "closed" }
  /** The broker closed the connection in order. Why, says the broker, if it is asked; a sentence's part. */
  | { readonly kind: "ended"; readonly why?: string }
  | { readonly kind: "lost"; readonly why: string };

export type Viewer = {
  readonly ended: Promise<ViewEnd>;
  /** When bytes last went each way, by performance.now(). */
  readonly lastSentMs: () => number;
  readonly lastReceivedMs: () => number;
  /** Gives the connection up as lost. */
  readonly giveUp: (why: string) => void;
  readonly stop: () => Promise<void>;
};

export type ViewOptions = {
  readonly session: { readonly socket: TLSSocket; readonly early: Uint8Array };
  /** What opens the desktop's end of the channel of shared folders. */
  readonly slaveKey?: string;
  readonly channels?: ChannelWish;
  /** For the person: what became of the channels. */
  readonly say?: (text: string) => void;
  /** DISPLAY and what else the X server asks for. */
  readonly env: Readonly<Record<string, string>>;
  readonly link: string;
};

/** Channels beside the screen's are those that `channels` names: nxproxy opens no other. */
export function nxproxyCommand(
  socketPath: string,
  link: string,
  channels: readonly string[] = [],
): readonly string[] {
  return ["nxproxy", "-S", ["nx/nx", `link=${link}`, ...channels, `connect=unix:${socketPath}:0`].join(",")];
}

export async function startViewer(options: ViewOptions): Promise<Viewer> {
  const folder = mkdtempSync(join(tmpdir(), "qvd-view-"));
  const { channels: wish = NO_CHANNELS, say = () => {}, slaveKey = "" } = options;
  let channels: Channels | undefined;
  try {
    channels = await openChannels(wish, { folder, say });
    const viewer = await showIn(folder, options, channels);
    channels.share(slaveKey);
    return viewer;
  } catch (error) {
    channels?.close();
    options.session.socket.destroy();
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

async function showIn(
  folder: string,
  { session, env, link }: ViewOptions,
  channels: Channels,
): Promise<Viewer> {
  const { socket, early } = session;
  const path = join(folder, "nx");
  const end = Promise.withResolvers<ViewEnd>();
  let [lastSentMs, lastReceivedMs] = [performance.now(), performance.now()];
  let hasEndedInOrder = false;
  const server = createServer({}, (local: Socket) => {
    server.close();
    // Whoever ends first says how it ended: the broker ends what the viewer has left.
    const onLeft = () => {
      if (!hasEndedInOrder) end.resolve({ kind: "closed" });
    };
    local.on("end", onLeft);
    local.on("error", () => {
      // A viewer that leaves while something is under way to it doesn't end, but breaks off.
      onLeft();
      socket.destroy();
    });
    if (early.length > 0) local.write(early);
    local.on("data", () => {
      lastSentMs = performance.now();
    });
    local.pipe(socket);
    socket.pipe(local);
  });
  socket.on("data", () => {
    lastReceivedMs = performance.now();
  });
  // Paused until nxproxy comes: what arrives before is its.
  socket.pause();
  socket.on("end", () => {
    hasEndedInOrder = true;
  });
  socket.on("error", (error) => end.resolve({ kind: "lost", why: error.message }));
  socket.on("close", () =>
    end.resolve(hasEndedInOrder ? { kind: "ended" } : { kind: "lost", why: "the connection broke off" }),
  );
  await new Promise<void>((resolve) => server.listen(path, resolve));
  chmodSync(path, 0o600);
  const proxy = Bun.spawn([...nxproxyCommand(path, link, channels.words)], {
    env: { ...env, HOME: folder, NX_CLIENT: "/bin/false" },
    stdio: ["ignore", "ignore", "ignore"],
  });
  // The socket's own end, if that is why, is told first.
  void proxy.exited.then(() => setTimeout(() => end.resolve({ kind: "closed" }), 200));
  return {
    ended: end.promise,
    lastSentMs: () => lastSentMs,
    lastReceivedMs: () => lastReceivedMs,
    giveUp: (why) => {
      end.resolve({ kind: "lost", why });
      socket.destroy();
    },
    stop: async () => {
      socket.destroy();
      server.close();
      channels.close();
      proxy.kill("SIGTERM");
      const killer = setTimeout(() => proxy.kill("SIGKILL"), 2_000);
      await proxy.exited;
      clearTimeout(killer);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Throws `driver-failed` where it isn't installed. */
export function requireNxproxy(env: Readonly<Record<string, string>>): void {
  if (Bun.which("nxproxy", { PATH: env.PATH ?? "" }) === null)
    throw new AppError(
      "driver-failed",
      "nxproxy is missing, which shows desktops: install it (Debian: apt install nxproxy)",
    );
}
