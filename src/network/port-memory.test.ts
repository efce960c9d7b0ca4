import { expect, test } from "bun:test";
import type { PortElement } from "./port-element.ts";
import { applyPortChange } from "./port-memory.ts";

const port = (number: number, group?: number): PortElement => ({
  interfaceName: `t-${number}`,
  mac: `02:00:00:00:00:0${number}`,
  address: `10.1.0.${number}`,
  group,
});

test("what is added is known, and what is removed is not", () => {
  const known = applyPortChange([port(1), port(2)], { remove: [port(1)], add: [port(3)] });
  expect(known).toEqual([port(2), port(3)]);
});

test("a port in another group takes the place of the one before", () => {
  expect(applyPortChange([port(1, 4)], { remove: [port(1, 4)], add: [port(1, 5)] })).toEqual([port(1, 5)]);
  expect(applyPortChange([port(1, 4)], { remove: [], add: [port(1)] })).toEqual([port(1)]);
});

test("one interface may have had two addresses", () => {
  const moved = { ...port(1), address: "10.1.0.9" };
  expect(applyPortChange([port(1), moved], { remove: [port(1)], add: [] })).toEqual([moved]);
});
