import { expect, test } from "bun:test";
import { constants, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { silentLog } from "../lib/log.ts";
import { runOk } from "../lib/run.ts";
import { waitFor } from "../lib/wait.ts";
import { watchFilter } from "./filter-watch.ts";

test("what came while nobody listened is looked for as soon as somebody listens again", async () => {
  const folder = mkdtempSync(`${tmpdir()}/qvd-filter-`);
  const silent = `${folder}/silent`;
  await runOk("making a pipe", ["mkfifo", silent]);
  const ended = new AbortController();
  const order: string[] = [];
  // The first ends at once, the next one has nothing to tell.
  const open = () => {
    order.push("listens");
    return order.length === 1
      ? openSync("/dev/null", "r")
      : openSync(silent, constants.O_RDWR | constants.O_NONBLOCK);
  };
  const onChange = () => void order.push("look");
  const watching = watchFilter({ table: "qvd", onChange, log: silentLog(), open }, ended.signal);
  try {
    expect(await waitFor(() => order.length === 4, { timeoutMs: 10_000, everyMs: 10 })).toBe(true);
    expect(order).toEqual(["listens", "look", "listens", "look"]);
  } finally {
    ended.abort();
    await watching;
    rmSync(folder, { recursive: true });
  }
}, 20_000);
