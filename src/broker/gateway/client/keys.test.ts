/** What pastes, with a browser that answers when it likes. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { waitFor } from "../../../lib/wait.ts";

type Fields = Readonly<Record<string, unknown>>;
type KeysOf = new (
  field: EventTarget,
  button: EventTarget,
) => {
  attach(to: { readonly target: () => EventTarget; readonly type: (keysym: number) => void }): void;
  pasteFrom(clipboard: { readonly isShared: boolean; readonly offer: (text: string) => boolean }): void;
};

const STAND_INS = {
  KeyboardEvent: class extends Event {
    constructor(type: string, fields: Fields) {
      super(type);
      Object.assign(this, { key: fields.key });
    }
  },
  matchMedia: () => ({ matches: false }),
};

beforeAll(() => void Object.assign(globalThis, STAND_INS));
afterAll(() => {
  for (const name of Object.keys(STAND_INS)) Reflect.deleteProperty(globalThis, name);
});

async function open({ isShared = true } = {}) {
  const path = `${import.meta.dir}/keys.js`;
  const { Keys }: { readonly Keys: KeysOf } = await import(path);
  const field = Object.assign(new EventTarget(), { value: "", setSelectionRange: () => undefined });
  const keys = new Keys(field, new EventTarget());
  const told: string[] = [];
  const target = new EventTarget();
  for (const type of ["keydown", "keyup"])
    target.addEventListener(type, (event) => told.push(`${type} ${Reflect.get(event, "key")}`));
  keys.attach({ target: () => target, type: (keysym) => told.push(`typed ${keysym}`) });
  keys.pasteFrom({ isShared, offer: (text) => told.push(`offered ${text}`) > 0 });
  let timeMs = 0;
  const tell = (type: string, fields: Fields) => {
    const event = new Event(type, { cancelable: true });
    // A second apart, however much the machine has to do.
    timeMs += 1_000;
    Object.defineProperty(event, "timeStamp", { value: timeMs });
    field.dispatchEvent(Object.assign(event, { getModifierState: () => false, ...fields }));
    return { isPrevented: event.defaultPrevented };
  };
  return {
    told,
    press: (key: string, ctrlKey = false) => tell("keydown", { key, code: `Key${key}`, ctrlKey }),
    paste: (text: string) => tell("paste", { clipboardData: { getData: () => text } }),
    has: (line: string) => waitFor(() => told.includes(line), { timeoutMs: 10_000, everyMs: 5 }),
  };
}

test("what the browser pastes goes before the key, and what was pressed meanwhile behind it", async () => {
  const { told, press, paste, has } = await open();
  expect(press("v", true).isPrevented).toBe(false);
  expect(paste("text").isPrevented).toBe(true);
  expect(press("x").isPrevented).toBe(true);
  expect(await has("keydown x")).toBe(true);
  expect(told).toEqual(["offered text", "keydown v", "keydown x"]);
});

test("a paste that comes after its key was let go is not typed besides", async () => {
  const { told, press, paste, has } = await open();
  press("v", true);
  expect(await has("keydown v")).toBe(true);
  expect(paste("rm -r x\n").isPrevented).toBe(true);
  expect(told).toEqual(["keydown v", "offered rm -r x\n"]);
  // And one by the browser's own menu is typed, as ever.
  expect(paste("text").isPrevented).toBe(false);
});

test("while nothing is shared the keys go on at once, and the browser pastes nothing", async () => {
  const { told, press } = await open({ isShared: false });
  expect(press("v", true).isPrevented).toBe(true);
  expect(told).toEqual(["keydown v"]);
});
