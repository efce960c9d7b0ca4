import { expect, test } from "bun:test";
import { mayReachPublic, resolveHost } from "./resolve-host.ts";

const resolve = (url: string, addresses: readonly string[], own: readonly string[] = []) =>
  resolveHost(new URL(url), {
    lookup: async () => addresses,
    mayReach: (address) => mayReachPublic(address, own),
  });

test("a public address is reached, and no other than was resolved", async () => {
  expect(await resolve("https://images.test/x", ["198.41.0.4"])).toEqual(["198.41.0.4"]);
});

test.each([
  ["a private one", "https://images.test/x", ["10.0.0.5"], []],
  ["a private one among public ones", "https://images.test/x", ["198.41.0.4", "127.0.0.1"], []],
  ["the box's own public one, by name", "https://images.test/x", ["198.41.0.4"], ["198.41.0.4"]],
  ["the box's own public one, as it is", "https://[2606:4700::1]/x", [], ["2606:4700::1"]],
] as const)("%s is not", async (_what, url, addresses, own) => {
  const error = await resolve(url, addresses, own).catch((cause) => cause);
  expect(error.code).toBe("forbidden");
});

test("where a name leads is not told", async () => {
  const error = await resolve("https://files.office.test/x", ["10.0.0.5"]).catch((cause) => cause);
  expect(error.message).toContain("files.office.test");
  expect(error.message).not.toContain("10.0.0.5");
});
