/**
 * Where the session's sound comes out of nxproxy: a port of this machine, since nxproxy takes no socket for it. Only this user's
 * programs are let in, and behind it is the guarded way to the PC's sound server (PulseAudio, or PipeWire's).
 */

import { existsSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { AppError } from "../../lib/errors.ts";
import { isOwnPeer } from "./own-peer.ts";
import { PulseGuard } from "./pulse-guard.ts";

export type SoundDoor = { readonly port: number; readonly close: () => void };

type Env = Readonly<Record<string, string | undefined>>;

const MOST_CONNECTIONS = 8;
/** Sound that nobody takes: its sender is let wait. */
const MOST_HELD_BYTES = 1024 * 1024;

/** The socket of the user's sound server. Throws `driver-failed` when there is none. */
export function findSoundServer(env: Env): string {
  const { PULSE_SERVER: said, XDG_RUNTIME_DIR } = env;
  const folder = XDG_RUNTIME_DIR ?? `/run/user/${process.getuid?.() ?? 0}`;
  // A list whose entries may begin with the name of the machine that they are for.
  const named = said
    ?.split(/\s+/)[0]
    ?.replace(/^\{[^}]*\}/, "")
    .replace(/^unix:/, "");
  const path = named === undefined || named === "" ? `${folder}/pulse/native` : named;
  if (!path.startsWith("/"))
    throw new AppError(
      "driver-failed",
      `sound goes to a server of this machine only, and PULSE_SERVER names ${path}`,
    );
  if (!existsSync(path))
    throw new AppError(
      "driver-failed",
      `there is no sound server at ${path}: start PulseAudio or PipeWire (pipewire-pulse), or leave --sound out`,
    );
  return path;
}

/** The door is the caller's to close. */
export async function openSoundDoor(path: string, hasMicrophone: boolean): Promise<SoundDoor> {
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: false }, (near) => {
    near.on("error", () => near.destroy());
    if (open.size >= 2 * MOST_CONNECTIONS || !isOwnPeer(near)) return near.destroy();
    const far = connect(path);
    for (const socket of [near, far]) {
      open.add(socket);
      socket.on("close", () => open.delete(socket));
    }
    join(near, far, hasMicrophone);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("a port has no number");
  return {
    port: address.port,
    close: () => {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}

function join(near: Socket, far: Socket, hasMicrophone: boolean): void {
  const guard = new PulseGuard({
    hasMicrophone,
    toServer: (bytes) => send(far, near, bytes),
    toDesktop: (bytes) => send(near, far, bytes),
  });
  const end = () => {
    near.destroy();
    far.destroy();
  };
  const pass = (work: () => void) => {
    try {
      work();
    } catch {
      // It speaks another language, or something that is not for it.
      end();
    }
  };
  near.on("data", (chunk: Buffer) => pass(() => guard.fromDesktop(chunk)));
  far.on("data", (chunk: Buffer) => pass(() => guard.fromServer(chunk)));
  far.on("error", end);
  near.on("close", end);
  far.on("close", end);
  far.on("drain", () => near.resume());
  near.on("drain", () => far.resume());
}

function send(to: Socket, from: Socket, bytes: Uint8Array): void {
  to.write(bytes);
  if (to.writableLength > MOST_HELD_BYTES) from.pause();
}
