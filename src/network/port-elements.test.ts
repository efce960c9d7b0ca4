import { expect, test } from "bun:test";
import { parsePortElements } from "./port-elements.ts";

const METAINFO = { metainfo: { version: "1.0.6", release_name: "Lester Gooch #5", json_schema_version: 1 } };

test("elements are read as nft prints them", () => {
  const set = {
    family: "bridge",
    name: "ip4",
    table: "qvd",
    type: ["ifname", "ether_addr", "ipv4_addr"],
    handle: 2,
  };
  const elem = [{ concat: ["qvd-7", "02:51:0a:4d:00:09", "10.77.0.9"] }];
  expect(parsePortElements(JSON.stringify({ nftables: [METAINFO, { set: { ...set, elem } }] }))).toEqual([
    { interfaceName: "qvd-7", mac: "02:51:0a:4d:00:09", address: "10.77.0.9", group: undefined },
  ]);
  const map = { family: "bridge", name: "groups", table: "qvd", type: "ifname", handle: 5, map: "mark" };
  const groups = JSON.stringify({
    nftables: [METAINFO, { map: { ...map, elem: [["qvd-7", 0x5100_0003]] } }],
  });
  expect(
    parsePortElements(JSON.stringify({ nftables: [METAINFO, { set: { ...set, elem } }] }), groups),
  ).toEqual([{ interfaceName: "qvd-7", mac: "02:51:0a:4d:00:09", address: "10.77.0.9", group: 3 }]);
  expect(parsePortElements(JSON.stringify({ nftables: [METAINFO, { set }] }))).toEqual([]);
});
