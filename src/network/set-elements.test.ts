import { expect, test } from "bun:test";
import { asId, type VmId } from "../domain/ids.ts";
import { interfaceName } from "../domain/node/network-names.ts";
import { sumUp, type Talk } from "./netlink.ts";
import { type NetlinkAnswer, renderAttribute, renderNested } from "./netlink-message.ts";
import { changeSetElements, listSetElements, renderKey } from "./set-elements.ts";

const NEW_ELEMENT = 0x0a0c;
const NAMES = [1, 2, 3].map((one) => interfaceName("qvd", asId<VmId>(one)));

/** Of the kernel: some elements of a set, and which revision of all rules they are of. */
function part(revision: number, names: readonly string[]): NetlinkAnswer {
  const elements = names.map((name) =>
    renderNested(1, [renderNested(1, [renderAttribute(1, renderKey([{ kind: "name", name }]))])]),
  );
  const body = Buffer.concat([new Uint8Array([7, 0, 0, revision]), renderNested(3, elements)]);
  return { type: NEW_ELEMENT, flags: 2, sequence: 1, body };
}

function end(code: number): NetlinkAnswer {
  const body = Buffer.alloc(4);
  body.writeInt32LE(code);
  return { type: 3, flags: 2, sequence: 1, body };
}

/** Says one after the other, the last of them again and again. */
function kernel(...said: (readonly NetlinkAnswer[])[]) {
  const world = { asked: 0 };
  const talk = async (_talk: Talk) => sumUp(said[Math.min(world.asked++, said.length - 1)] ?? []);
  return { world, talk };
}

const list = async (given: ReturnType<typeof kernel>) =>
  (await listSetElements(given, "qvd", "ip4"))?.map(({ key }) =>
    Buffer.from(key).toString().replaceAll("\0", ""),
  );

test("a list that changed while it was read is read again", async () => {
  const torn = [part(1, NAMES.slice(0, 1)), part(2, NAMES.slice(2)), end(0)];
  const whole = [part(2, NAMES.slice(0, 1)), part(2, NAMES.slice(1)), end(0)];
  const given = kernel(torn, whole);
  expect(await list(given)).toEqual(NAMES);
  expect(given.world.asked).toBe(2);
});

test("a list that changes all the time is given up", () =>
  expect(list(kernel([part(1, NAMES), part(2, []), end(0)]))).rejects.toThrow("it changes all the time"));

test("a set that goes while it is read is no set, and another failure is one", async () => {
  expect(await list(kernel([part(1, NAMES), end(-2)]))).toBeUndefined();
  await expect(list(kernel([part(1, NAMES), end(-12)]))).rejects.toThrow("ENOMEM");
});

test("an empty set is empty", async () => {
  expect(await list(kernel([end(0)]))).toEqual([]);
});

test("whoever changes rules that somebody has taken away hears what to do", async () => {
  const body = Buffer.alloc(4);
  body.writeInt32LE(-2);
  const refused = kernel([{ type: 2, flags: 0, sequence: 2, body }]);
  const element = { set: "groups", key: [{ kind: "name", name: "qvd-1" }] } as const;
  await expect(changeSetElements(refused, "qvd", [{ verb: "add", element }])).rejects.toThrow(
    "could not be put back",
  );
});
