import { expect, test } from "bun:test";
import { silentLog } from "../../lib/log.ts";
import { sleep, waitFor } from "../../lib/wait.ts";
import { Clipboard } from "./clipboard.ts";

function play() {
  const told: string[] = [];
  const world = { copied: "before", looks: 0, isBroken: false };
  const clipboard = new Clipboard({
    read: async () => {
      world.looks++;
      if (world.isBroken) throw new Error("no xclip");
      return world.copied;
    },
    write: async (text) => {
      if (world.isBroken) return false;
      world.copied = text;
      return true;
    },
    tell: (text) => void told.push(text),
    log: silentLog(),
    everyMs: 2,
  });
  const looked = async (more = 2) => {
    const from = world.looks;
    await waitFor(() => world.looks >= from + more, { timeoutMs: 1_000, everyMs: 1 });
  };
  return { told, world, clipboard, looked };
}

test("looks at nothing before it is shared, and never again after", async () => {
  const { world, clipboard, looked } = play();
  expect(world.looks).toBe(0);
  clipboard.share(true);
  await looked();
  clipboard.share(false);
  const { looks } = world;
  await waitFor(() => false, { timeoutMs: 20 });
  expect(world.looks).toBeLessThanOrEqual(looks + 1);
});

test("tells what is copied from then on, once, and not what was there before", async () => {
  const { told, world, clipboard, looked } = play();
  clipboard.share(true);
  await looked();
  world.copied = "new";
  await looked(4);
  clipboard.share(false);
  expect(told).toEqual(["new"]);
});

test("doesn't tell what came from the other side", async () => {
  const { told, world, clipboard, looked } = play();
  clipboard.share(true);
  await looked();
  clipboard.set("theirs");
  await looked(4);
  expect(world.copied).toBe("theirs");
  expect(told).toEqual([]);
  clipboard.share(false);
});

test("goes on after a look that failed", async () => {
  const { told, world, clipboard, looked } = play();
  clipboard.share(true);
  await looked();
  world.isBroken = true;
  await looked();
  world.isBroken = false;
  world.copied = "after";
  await looked(3);
  clipboard.share(false);
  expect(told).toEqual(["after"]);
});

test("what was there is not told as new where nothing holds the text that was set", async () => {
  const { told, world, clipboard, looked } = play();
  clipboard.share(true);
  await looked();
  world.isBroken = true;
  clipboard.set("theirs");
  await looked();
  world.isBroken = false;
  await looked(3);
  world.copied = "after";
  await looked(3);
  clipboard.share(false);
  expect(told).toEqual(["after"]);
});

test("what was being looked at when sharing ended is not told", async () => {
  const read = Promise.withResolvers<string>();
  const told: string[] = [];
  let looks = 0;
  const clipboard = new Clipboard({
    read: async () => (looks++ === 0 ? "before" : await read.promise),
    write: async () => true,
    tell: (text) => void told.push(text),
    log: silentLog(),
    everyMs: 2,
  });
  clipboard.share(true);
  await waitFor(() => looks >= 2, { timeoutMs: 2_000, everyMs: 1 });
  clipboard.share(false);
  read.resolve("too late");
  await waitFor(() => false, { timeoutMs: 20 });
  expect(told).toEqual([]);
});

test.each([0.5, 1.5, 6])(
  "what was copied before is not told as new while the program that is to hold a text starts, for %p looks",
  async (startsFor) => {
    const everyMs = 20;
    let looks = 0;
    let held = "of before";
    const told: string[] = [];
    const clipboard: Clipboard = new Clipboard({
      read: async () => {
        if (++looks === 2) clipboard.set("of the person");
        return held;
      },
      // For longer than some looks are apart.
      write: async (text) => {
        await sleep(everyMs * startsFor);
        held = text;
        return true;
      },
      tell: (text) => void told.push(text),
      log: silentLog(),
      everyMs,
    });
    clipboard.share(true);
    await waitFor(() => looks >= 4, { timeoutMs: 2_000, everyMs: 1 });
    held = "of a program";
    await waitFor(() => told.length > 0, { timeoutMs: 2_000, everyMs: 1 });
    clipboard.share(false);
    expect(told).toEqual(["of a program"]);
  },
);
