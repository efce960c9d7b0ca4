import { expect, test } from "bun:test";
import { isRouted } from "./widen-way.ts";

const HEAD =
  "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT                                                       ";
const DEFAULT = "eth0\t00000000\t01EB0A0A\t0003\t0\t0\t0\t00000000\t0\t0\t0   ";
const row = (fields: { device?: string; to?: string; metric?: number; mask?: string; mtu?: number } = {}) => {
  const { device = "eth0", to = "010AEB0A", metric = 0, mask = "FFFFFFFF", mtu = 1500 } = fields;
  return `${device}\t${to}\t00000000\t0005\t0\t0\t${metric}\t${mask}\t${mtu}\t0\t0      `;
};
const OURS = row();

test.each([
  ["ours behind others", [HEAD, DEFAULT, OURS], true],
  ["no route of its own", [HEAD, DEFAULT], false],
  ["nothing at all", [], false],
  ["that of a network", [HEAD, row({ to: "000AEB0A", mask: "00FFFFFF" })], false],
  ["another address's", [HEAD, row({ to: "020AEB0A" })], false],
  ["one that says nothing of sizes", [HEAD, row({ mtu: 0 })], false],
  ["one by another cable", [HEAD, row({ device: "eth1" })], false],
  ["one that comes after others", [HEAD, row({ metric: 100 })], false],
  ["ours, cut off", [HEAD, OURS.slice(0, -12)], false],
])("a desktop's way to its box is known by its table of routes: %s", (_what, rows, expected) => {
  expect(isRouted(rows.join("\n"), "10.235.10.1")).toBe(expected);
});
