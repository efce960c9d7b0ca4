import { expect, test } from "bun:test";
import { SilenceGate } from "./silence-gate.ts";

const SILENCE = new Uint8Array(10);
const SOUND = new Uint8Array(10).fill(3);

test("silence is passed on for half a second after a sound, and not before", () => {
  const gate = new SilenceGate(10);
  for (let count = 0; count < 100; count++) expect(gate.push(SILENCE)).toEqual([]);
  expect(gate.push(SOUND)).toEqual([SOUND]);
  let passed = 0;
  for (let count = 0; count < 100; count++) passed += gate.push(SILENCE).length;
  expect(passed).toBe(25);
});

test("frames are whole, however the samples come", () => {
  const gate = new SilenceGate(10);
  expect(gate.push(SOUND.subarray(0, 4))).toEqual([]);
  expect(gate.push(Buffer.concat([SOUND, SOUND])).map(({ length }) => length)).toEqual([10, 10]);
});
