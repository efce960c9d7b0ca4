import { expect, test } from "bun:test";
import { waitFor } from "../../lib/wait.ts";
import { endInput, feedChild, flushInput } from "./feed-child.ts";

// A promise that is broken unheard makes the test fail, as it would end the agent.
const listen = (...command: string[]) => Bun.spawn(command, { stdio: ["pipe", "pipe", "ignore"] });
const turns = () => waitFor(() => false, { timeoutMs: 50 });

test("gives all to a child that reads", async () => {
  const child = listen("wc", "-c");
  for (let count = 0; count < 40; count++) await feedChild(child.stdin, new Uint8Array(8_192));
  await feedChild(child.stdin, "end");
  endInput(child.stdin);
  endInput(child.stdin);
  expect((await new Response(child.stdout).text()).trim()).toBe(`${40 * 8_192 + 3}`);
});

test("says that one that reads slowly has to be waited for", async () => {
  const child = listen("sh", "-c", "sleep 0.1; cat >/dev/null");
  const waits = [1, 2, 3].map(() => feedChild(child.stdin, new Uint8Array(100_000)));
  expect(waits.at(-1)).toBeInstanceOf(Promise);
  await waits.at(-1);
  endInput(child.stdin);
  expect(await child.exited).toBe(0);
});

test("breaks nothing where the child is killed with bytes under way", async () => {
  const child = listen("sleep", "10");
  for (let count = 0; count < 100; count++) {
    feedChild(child.stdin, new Uint8Array(4_096));
    flushInput(child.stdin);
    if (count % 10 === 0) await Bun.sleep(1);
  }
  endInput(child.stdin);
  child.kill("SIGKILL");
  await child.exited;
  await turns();
});

test("waits for nothing where the child has ended", async () => {
  const child = listen("true");
  await child.exited;
  await turns();
  for (let count = 0; count < 3; count++) await feedChild(child.stdin, new Uint8Array(100_000));
  endInput(child.stdin);
});
