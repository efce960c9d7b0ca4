import { expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { silentLog } from "../../lib/log.ts";
import { waitFor } from "../../lib/wait.ts";
import { KeyLifter, pressedKeys } from "./let-go.ts";

test("reads keycodes from X's map of what is pressed", () => {
  const map = new Uint8Array(32);
  expect(pressedKeys(map)).toEqual([]);
  map[4] = 0b0010_0000;
  map[31] = 0b1000_0001;
  expect(pressedKeys(map)).toEqual([37, 248, 255]);
});

test("lifts once for all who ask meanwhile, and again for who asks afterwards", async () => {
  const path = `/tmp/qvd-let-go-${process.pid}`;
  const comers: Bun.Socket<undefined>[] = [];
  const display = Bun.listen<undefined>({
    unix: path,
    socket: { open: (comer) => void comers.push(comer), data: () => {} },
  });
  const lifter = new KeyLifter(path, silentLog());
  const turnAway = async (count: number) => {
    expect(await waitFor(() => comers.length === count, { timeoutMs: 5_000, everyMs: 5 })).toBe(true);
    comers.at(-1)?.end();
  };
  try {
    const both = [lifter.lift(), lifter.lift()];
    await turnAway(1);
    await Promise.all(both);
    expect(comers).toHaveLength(1);
    const again = lifter.lift();
    await turnAway(2);
    await again;
  } finally {
    display.stop(true);
    rmSync(path, { force: true });
  }
});
