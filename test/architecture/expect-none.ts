import { expect } from "bun:test";

/** Compares with nothing, so that a failure prints the breaches one a line. */
export function expectNone(breaches: readonly string[]): void {
  expect(breaches.join("\n")).toBe("");
}
