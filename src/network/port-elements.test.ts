import { expect, test } from "bun:test";
import { PORT_SETS, type PortElement } from "./port-element.ts";
import { parsePortElements } from "./port-elements.ts";
import { renderKey } from "./set-elements.ts";

const PORT: PortElement = {
  interfaceName: "qvd-7",
  mac: "02:51:0a:4d:00:09",
  address: "10.77.0.9",
  group: undefined,
};
const known = (set: keyof typeof PORT_SETS, port: PortElement) => {
  const element = PORT_SETS[set].element(port);
  return element === undefined ? [] : [{ key: renderKey(element.key), mark: element.mark }];
};

test.each([undefined, 0, 3, 0xff_ffff])("a port of group %p is read as it was written", (group) => {
  const port = { ...PORT, group };
  expect(parsePortElements(known("ip4", port), known("groups", port))).toEqual([port]);
});

test("a port's name is read up to its end mark", () => {
  const port = { ...PORT, interfaceName: "instance-123456" };
  expect(parsePortElements(known("ip4", port), [])).toEqual([port]);
  expect(parsePortElements([], [])).toEqual([]);
});
