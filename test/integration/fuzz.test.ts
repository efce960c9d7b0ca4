/** The short form of `script/fuzz`. */

import { expect, test } from "bun:test";
import { runDoor } from "../fuzz/door-run.ts";
import { HANG_MS, MOST_GROWN_BYTES, runFuzz } from "../fuzz/fuzz-run.ts";
import { runGateway } from "../fuzz/gateway-run.ts";
import { MOST_GROWN_KB } from "../fuzz/strangers.ts";
import { FUZZ_TARGETS } from "../fuzz/targets.ts";

const SEED = 20_261_121;

test("100,000 inputs break nothing that reads the bytes of strangers", async () => {
  const report = await runFuzz({ inputs: 100_000, seed: SEED });
  expect(report.faults).toEqual([]);
  expect(report.inputs).toBeGreaterThanOrEqual(100_000);
  expect(report.slowestMs).toBeLessThan(HANG_MS);
  expect(report.grownBytes).toBeLessThan(MOST_GROWN_BYTES);
}, 240_000);

test("a reader that breaks is found, with the input that did it", async () => {
  const target = {
    ...(FUZZ_TARGETS[0] ?? { name: "", corpus: { seeds: [], spice: [] } }),
    check: (input: Uint8Array) => {
      if (input.includes(0)) throw new Error("a zero");
    },
  };
  const { faults } = await runFuzz({ inputs: 5_000, seed: SEED, targets: [target] });
  expect(faults).toMatchObject([{ target: "client heads", what: "a zero" }]);
  expect(Buffer.from(faults[0]?.inputBase64 ?? "", "base64").includes(0)).toBe(true);
  const again = await runFuzz({ inputs: 5_000, seed: SEED, targets: [target] });
  expect(again.faults).toEqual(faults);
});

test("2,000 strangers leave nothing open at a broker's door, and it answers all the while", async () => {
  const report = await runDoor({ connections: 2_000, seed: SEED });
  expect(report).toMatchObject({ faults: [], leftDescriptors: 0 });
  expect(report.pings).toBeGreaterThanOrEqual(5);
  expect(report.grownKb).toBeLessThan(MOST_GROWN_KB);
}, 240_000);

test("10,000 requests and frames of browsers break nothing, open nothing, and leave nothing open", async () => {
  const report = await runGateway({ inputs: 10_000, seed: SEED });
  expect(report).toMatchObject({ faults: [], leftDescriptors: 0 });
  expect(report.sockets).toBeGreaterThan(100);
  expect(report.pages).toBeGreaterThanOrEqual(3);
  expect(report.grownKb).toBeLessThan(MOST_GROWN_KB);
}, 240_000);
