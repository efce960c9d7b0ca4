/**
 * Sends all that a desktop may not, for real (`send-packets.py`), and says where each frame arrived. Containers and virtual
 * machines are held to the same: rules see cables.
 */

import { expect } from "bun:test";
import type { LabDesktop, LabMachine } from "./network-lab.ts";

export type PacketEnd = LabDesktop | LabMachine;

export type PacketTrial = {
  readonly from: PacketEnd;
  readonly to: PacketEnd;
  /** Who listens besides the box itself; the sender doesn't count. */
  readonly witnesses: readonly PacketEnd[];
  readonly gateway: { readonly address: string; readonly mac: string };
};

/** Where each frame arrived, by its name: `host`, or a desktop's number. */
export type Arrivals = Readonly<Record<string, readonly string[]>>;

const SCRIPT = new URL("send-packets.py", import.meta.url).pathname;
const SEND_MS = 60_000;
/** Behind the script's own three. */
const FIRST_INHERITED = 3;

/** What the box hears of a desktop that speaks as itself; nobody but the box hears it, and broadcasts get no answer. */
const TO_HOST = [
  "own ip to gateway",
  "own arp for gateway",
  "own dhcp discover",
  "ip broadcast",
  "ip multicast",
  "arp for other",
  "hairpin through gateway",
];
const TO_NEIGHBOUR = [
  ...["ip to other", "tcp to other", "ip broadcast", "ip multicast", "arp for other"],
  "own arp for gateway",
];
const LEAST_FRAMES = 35;

export async function sendForbidden({ from, to, witnesses, gateway }: PacketTrial): Promise<Arrivals> {
  const listening = witnesses.filter((one) => one !== from);
  const taps = [from, ...listening].flatMap((one) => ("descriptor" in one ? [one.descriptor] : []));
  const nameOf = (one: PacketEnd) =>
    "descriptor" in one ? `tap:${FIRST_INHERITED + taps.indexOf(one.descriptor)}` : one.namespace;
  const party = ({ port: { address, mac } }: PacketEnd) => ({ address, mac });
  const told = JSON.stringify({ me: party(from), other: party(to), gateway });
  const sending = Bun.spawn(
    ["/usr/bin/python3", SCRIPT, nameOf(from), from.port.bridge, ...listening.map(nameOf)],
    { stdio: [Buffer.from(told), "pipe", "inherit", ...taps], timeout: SEND_MS },
  );
  const said: Record<string, string[]> = JSON.parse(await new Response(sending.stdout).text());
  const numberOf = (name: string) => `${listening.find((one) => nameOf(one) === name)?.vmId ?? name}`;
  return Object.fromEntries(Object.entries(said).map(([frame, places]) => [frame, places.map(numberOf)]));
}

/** Nothing reached anybody, and the box only what the sender says as itself. */
export function expectHostAlone(arrived: Arrivals): void {
  const names = Object.keys(arrived).filter((name) => !isHeldBack(name));
  expect(names.length).toBeGreaterThan(LEAST_FRAMES);
  const expected = names.map((name) => [name, TO_HOST.includes(name) ? ["host"] : []]);
  expect(arrived).toMatchObject(Object.fromEntries(expected));
  expect(arrived["later fragment to other"]).toEqual([]);
}

/** The neighbour heard the sender as itself, and got neither addresses nor routes; none of the strangers heard anything. */
export function expectNeighbourly(
  arrived: Arrivals,
  neighbour: PacketEnd,
  strangers: readonly PacketEnd[],
): void {
  const reached = Object.entries(arrived)
    .filter(([name, places]) => places.includes(`${neighbour.vmId}`) && !isHeldBack(name))
    .map(([name]) => name);
  expect(reached.sort()).toEqual([...TO_NEIGHBOUR].sort());
  for (const { vmId } of strangers) expect(Object.values(arrived).flat()).not.toContain(`${vmId}`);
}

/** Part of a packet: passed on or kept until the rest comes, by whether the kernel has its bridges call the host's filter. */
function isHeldBack(name: string): boolean {
  return name.includes("fragment");
}
