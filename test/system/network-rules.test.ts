/**
 * What becomes of desktops when another program empties the packet filter: all of it inside of a network namespace of the
 * test's own, with a box's network in it and desktops in namespaces beside it.
 */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { macOf } from "../../src/domain/node/network-range.ts";
import type { RulesSign } from "../../src/domain/node/report.ts";
import { run, runOk } from "../../src/lib/run.ts";
import { waitFor } from "../../src/lib/wait.ts";
import type { RulesBoxOrder } from "../support/rules-box.ts";

const INSTANCE = "vrul";
const BOX = "vrulbox";
const PROGRAM = new URL("../support/rules-box.ts", import.meta.url).pathname;
const GATEWAY = "10.238.0.1";
const DEADLINE = { timeoutMs: 20_000, everyMs: 20 };

type Answer = {
  readonly told: readonly string[];
  readonly trouble: RulesSign | null;
  readonly fault?: string;
};

const ip = (...words: string[]) => runOk("setting up", ["/usr/sbin/ip", ...words]);
const inside = (namespace: string, ...words: string[]) =>
  run(["/usr/sbin/ip", "netns", "exec", namespace, ...words], { timeoutMs: 20_000 });
const nft = async (...words: string[]) => {
  const result = await inside(BOX, "/usr/sbin/nft", ...words);
  expect(result.stderr).toBe("");
  return result.stdout;
};
const reaches = async (from: number, address: string) =>
  (await inside(nameOf(from), "/usr/bin/ping", "-c1", "-W1", address)).exitCode === 0;
/** At last: after one that was refused a neighbour is asked for its address at most once a second. */
const comesToReach = async (from: number, address: string) =>
  (await waitFor(() => reaches(from, address), DEADLINE)) === true;
const nameOf = (vmId: number) => `${INSTANCE}-d${vmId}`;
const addressOf = (vmId: number) => `10.238.0.${vmId + 1}`;

let box: RulesBox;
beforeAll(async () => {
  await clear();
  await ip("netns", "add", BOX);
  await ip("-n", BOX, "link", "set", "lo", "up");
  box = await RulesBox.start();
  for (const vmId of [1, 2]) await plugIn(vmId);
}, 180_000);
afterAll(async () => {
  await box?.stop();
  await clear();
}, 180_000);

async function plugIn(vmId: number, group?: number): Promise<void> {
  const [outer, namespace, address] = [`${INSTANCE}-${vmId}`, nameOf(vmId), addressOf(vmId)];
  expect(
    (await box.ask({ verb: "add", vmId, address, ...(group === undefined ? {} : { group }) })).fault,
  ).toBe(undefined);
  await ip("netns", "add", namespace);
  await ip("-n", BOX, "link", "add", outer, "type", "veth", "peer", "name", "eth0", "netns", namespace);
  await ip("-n", namespace, "link", "set", "eth0", "address", macOf(address));
  await ip("-n", BOX, "link", "set", outer, "master", `${INSTANCE}br0`, "up");
  await ip("-n", namespace, "addr", "add", `${address}/24`, "dev", "eth0");
  await ip("-n", namespace, "link", "set", "eth0", "up");
}

async function clear(): Promise<void> {
  for (const name of [BOX, ...[1, 2, 3].map(nameOf)]) await run(["/usr/sbin/ip", "netns", "del", name]);
}

/** The box's process; `isPaused` shows what the moment before its answer is like. */
class RulesBox {
  readonly #process: Bun.Subprocess<"pipe", "pipe", "inherit">;
  readonly #lines: AsyncIterator<string>;

  static async start(): Promise<RulesBox> {
    const started = new RulesBox();
    expect((await started.#lines.next()).value).toBe('"ready"');
    return started;
  }

  private constructor() {
    this.#process = Bun.spawn(
      ["/usr/sbin/ip", "netns", "exec", BOX, process.execPath, PROGRAM, INSTANCE, "10.238.0.0/24"],
      { stdin: "pipe", stdout: "pipe", stderr: "inherit" },
    );
    this.#lines = linesOf(this.#process.stdout);
  }

  async ask(order: RulesBoxOrder): Promise<Answer> {
    this.#process.stdin.write(`${JSON.stringify(order)}\n`);
    this.#process.stdin.flush();
    return JSON.parse((await this.#lines.next()).value);
  }

  pause(isPaused: boolean): void {
    // `ip netns exec` became the program itself.
    this.#process.kill(isPaused ? "SIGSTOP" : "SIGCONT");
  }

  async stop(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process.exited;
  }
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let text = "";
  for await (const chunk of stream) {
    text += Buffer.from(chunk).toString();
    const lines = text.split("\n");
    text = lines.pop() ?? "";
    yield* lines;
  }
}

describe("when another program empties the packet filter", () => {
  test("desktops are kept apart again without a restart, and whoever did it is known", async () => {
    expect(await comesToReach(1, GATEWAY)).toBe(true);
    expect(await reaches(1, addressOf(2))).toBe(false);

    box.pause(true);
    await nft("flush", "ruleset");
    // So it is for as long as nobody puts them back.
    const isOpen = await comesToReach(1, addressOf(2));
    box.pause(false);
    expect(isOpen).toBe(true);

    expect(await waitFor(async () => !(await reaches(1, addressOf(2))), DEADLINE)).toBe(true);
    expect(await comesToReach(1, GATEWAY)).toBe(true);
    const { told, trouble } = await atRest();
    expect(told).toEqual([expect.stringMatching(/^nft \(process \d+\)$/)]);
    expect(trouble).toMatchObject({ times: 1, by: told[0] });
  }, 180_000);

  test.each([
    ["a table", ["delete", "table", "bridge", INSTANCE]],
    ["what passes on", ["delete", "table", "inet", INSTANCE]],
    ["the rules of a table", ["flush", "table", "bridge", INSTANCE]],
    ["one chain's rules", ["flush", "chain", "bridge", INSTANCE, "neighbours"]],
    ["desktops' own elements", ["flush", "set", "bridge", INSTANCE, "mac"]],
    ["a table's effect", ["add", "table", "bridge", INSTANCE, "{ flags dormant; }"]],
  ])(
    "%s is put back as it was",
    async (_what, words) => {
      const before = await listRules();
      await nft(...words);
      expect(await waitFor(async () => (await listRules()) === before, DEADLINE)).toBe(true);
      expect(await comesToReach(1, GATEWAY)).toBe(true);
      expect(await reaches(1, addressOf(2))).toBe(false);
    },
    180_000,
  );

  test("a rule that lets all pass does not stay in the box's own tables", async () => {
    const before = await listRules();
    await nft("insert", "rule", "bridge", INSTANCE, "neighbours", "accept");
    expect(await waitFor(async () => (await listRules()) === before, DEADLINE)).toBe(true);
  }, 180_000);

  test("a desktop that starts or stops in that moment does so", async () => {
    box.pause(true);
    await nft("flush", "ruleset");
    const adding = plugIn(3);
    box.pause(false);
    await adding;
    expect(await comesToReach(3, GATEWAY)).toBe(true);
    box.pause(true);
    await nft("flush", "ruleset");
    const removing = box.ask({ verb: "remove", vmId: 3 });
    box.pause(false);
    expect((await removing).fault).toBe(undefined);
    expect(await waitFor(async () => (await listRules()).includes(addressOf(1)), DEADLINE)).toBe(true);
    expect(await listRules()).not.toContain(addressOf(3));
  }, 180_000);

  test("rules of others are left alone, and nobody is told of those", async () => {
    const { told, trouble } = await atRest();
    await nft("add", "table", "inet", "others");
    await nft("delete", "table", "inet", "others");
    expect(await atRest()).toMatchObject({ told, trouble: { times: trouble?.times } });
  }, 180_000);

  test("desktops that are plugged in and out are no news", async () => {
    const { trouble } = await atRest();
    for (let round = 0; round < 5; round++) {
      await box.ask({ verb: "add", vmId: 9, address: "10.238.0.90" });
      await box.ask({ verb: "remove", vmId: 9 });
    }
    expect((await atRest()).trouble?.times).toBe(trouble?.times);
  }, 180_000);
});

/** What the box knows once nothing more comes to it: rules are back before it has counted that. */
async function atRest(): Promise<Answer> {
  let last: Answer | undefined;
  const isResting = async () => {
    const before = last;
    last = await box.ask({ verb: "state" });
    return before?.trouble?.times === last.trouble?.times && before?.told.length === last.told.length;
  };
  await waitFor(isResting, { ...DEADLINE, everyMs: 500 });
  return last ?? { told: [], trouble: null };
}

/** Without counters and flows, which move, and elements in an order that doesn't. */
async function listRules(): Promise<string> {
  const tables = await Promise.all(
    ["bridge", "inet"].map((family) =>
      inside(BOX, "/usr/sbin/nft", "--stateless", "list", "table", family, INSTANCE),
    ),
  );
  const listed = tables.map(({ stdout }) => stdout.replace(/set flows \{.*?\n\t\}/s, "")).join("");
  return listed.replace(/elements = \{([^}]*)\}/g, (_all, inner: string) =>
    inner
      .split(",")
      .map((one) => one.trim())
      .sort()
      .join(", "),
  );
}
