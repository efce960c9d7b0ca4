import { expect, test } from "bun:test";
import { createNewsReader } from "./filter-news.ts";
import { renderAttribute, renderRequest, renderText } from "./netlink-message.ts";

const SUBSYSTEM = 10 << 8;
const [DELETE_TABLE, DELETE_RULE, NEW_ELEMENT, DELETE_ELEMENT, NEW_GENERATION] = [2, 8, 12, 14, 15];

function message(kind: number, attributes: readonly Uint8Array[]): Uint8Array {
  return renderRequest({ type: SUBSYSTEM | kind, flags: 0, fixed: new Uint8Array(4), attributes }, 1);
}
const of = (kind: number, table: string) => message(kind, [renderAttribute(1, renderText(table))]);
const end = (pid: number, name: string) =>
  message(NEW_GENERATION, [
    renderAttribute(1, new Uint8Array([0, 0, 0, 9])),
    renderAttribute(2, new Uint8Array([0, 0, pid >> 8, pid & 0xff])),
    renderAttribute(3, renderText(name)),
  ]);

test("a change that takes something from our table is told with its maker, one that doesn't isn't", () => {
  const read = createNewsReader("qvd");
  const change = [{ name: "nft", pid: 812 }];
  const ours = [of(DELETE_RULE, "other"), of(DELETE_TABLE, "qvd"), end(812, "nft")];
  expect(read(Buffer.concat(ours))).toEqual(change);
  expect(read(Buffer.concat([of(DELETE_TABLE, "other"), end(813, "nft")]))).toEqual([]);
  expect(read(Buffer.concat([of(NEW_ELEMENT, "qvd"), end(814, "nft")]))).toEqual([]);
  expect(read(Buffer.concat([of(DELETE_ELEMENT, "qvd"), end(812, "nft")]))).toEqual(change);
});

test("what comes in parts is one change, and ends with its maker", () => {
  const read = createNewsReader("qvd");
  expect(read(of(DELETE_TABLE, "qvd"))).toEqual([]);
  expect(read(of(DELETE_RULE, "other"))).toEqual([]);
  expect(read(end(300, "firewalld"))).toEqual([{ name: "firewalld", pid: 300 }]);
  expect(read(end(300, "firewalld"))).toEqual([]);
});

test("bytes that are none of a message are nothing", () => {
  const read = createNewsReader("qvd");
  for (const size of [0, 3, 15, 17]) expect(read(new Uint8Array(size).fill(0xff))).toEqual([]);
  // A maker without a name or number has at least been there.
  expect(read(Buffer.concat([of(DELETE_TABLE, "qvd"), message(NEW_GENERATION, [])]))).toEqual([
    { name: "", pid: 0 },
  ]);
});
