import { expect, test } from "bun:test";
import { clientDefaults } from "./client-defaults.ts";

test("a tenant's word goes over the site's, and an empty one says nothing", () => {
  const rows = [
    { name: "vma.default.client.keyboard", value: "pc105/es" },
    { name: "vma.default.client.link", value: "lan" },
    { name: "vma.default.client.keyboard", value: "pc105/pt" },
    { name: "vma.default.client.link", value: "" },
    { name: "vma.default.client.geometry", value: 7 },
    { name: "something.else", value: "x" },
  ];
  expect(clientDefaults(rows)).toEqual({ "qvd.client.keyboard": "pc105/pt" });
});
