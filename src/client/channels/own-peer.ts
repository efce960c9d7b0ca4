import { readFileSync } from "node:fs";

export type LocalConnection = {
  readonly remotePort?: number | undefined;
  readonly localPort?: number | undefined;
};

/**
 * Whether the other end of a connection on 127.0.0.1 is a program of the same user: a port is open to everybody who works
 * on the machine, and the kernel's table of connections says whose each is.
 */
export function isOwnPeer({ remotePort, localPort }: LocalConnection): boolean {
  if (remotePort === undefined || localPort === undefined) return false;
  const [theirs, ours] = [remotePort, localPort].map(
    (port) => `0100007F:${port.toString(16).toUpperCase().padStart(4, "0")}`,
  );
  const line = readFileSync("/proc/net/tcp", "utf8")
    .split("\n")
    .map((text) => text.trim().split(/\s+/))
    .find(([, local, remote]) => local === theirs && remote === ours);
  return line !== undefined && Number(line[7]) === process.getuid?.();
}
