/** What runs that visit a broker share: the broker in a process of its own, and how it is looked at from outside. */

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import type { QvdClient } from "../support/qvd-client.ts";
import { createTlsPair } from "../support/tls-pair.ts";
import type { Random } from "./mutate.ts";

export type VisitedBroker = { readonly port: number; readonly pid: number };

/** Growth that is a heap's own: measured, a broker that has seen 20,000 connections keeps about 20 MB more. */
export const MOST_GROWN_KB = 64 * 1024;
/** How many strangers come at the same time. */
export const AT_ONCE = 24;
/** A share of all, so that what only shows after a while has had its time before it is measured. */
export const WARM_UP = 0.2;

/** `desktopPort`: where all desktops listen. */
export async function withBroker<T>(
  desktopPort: number,
  work: (broker: VisitedBroker) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(`${tmpdir()}/qvd-fuzz-`);
  const { tlsKey, tlsCertificate } = await createTlsPair();
  writeFileSync(`${folder}/key`, tlsKey, { mode: 0o600 });
  writeFileSync(`${folder}/crt`, tlsCertificate);
  const script = new URL("../support/broker-process.ts", import.meta.url).pathname;
  const command = [process.execPath, script, `${desktopPort}`, `${folder}/key`, `${folder}/crt`];
  const broker = Bun.spawn(command, { stdio: ["ignore", "pipe", "inherit"] });
  try {
    const { value } = await broker.stdout.getReader().read();
    return await work({ port: Number(Buffer.from(value ?? []).toString()), pid: broker.pid });
  } finally {
    broker.kill("SIGKILL");
    await broker.exited;
    rmSync(folder, { recursive: true });
  }
}

export type Leaving = Pick<QvdClient, "close" | "terminate" | "shutdown">;

/** In one of the ways in which clients go. */
export async function leave(client: Leaving, random: Random): Promise<void> {
  if (random() < 0.5) await Bun.sleep(random() * 20);
  const how = random();
  if (how < 0.4) client.terminate();
  else if (how < 0.8) client.close();
  else {
    client.shutdown();
    await Bun.sleep(random() * 20);
    client.terminate();
  }
}

export function countDescriptors(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

export function readResidentKb(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
}
