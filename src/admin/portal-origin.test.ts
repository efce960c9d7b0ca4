import { describe, expect, test } from "bun:test";
import { portalOrigin, visitAddress } from "./portal-origin.ts";

describe("where the pages of the QVD port are", () => {
  for (const [portal, asked, origin] of [
    [undefined, "https://box.test:9443/desktops/1", "https://box.test:8443"],
    [{ address: "", port: 443 }, "https://box.test:9443/", "https://box.test"],
    [{ address: "", port: 8443 }, "https://[::1]:9443/", "https://[::1]:8443"],
    [{ address: "https://desks.test/", port: 8443 }, "https://wat.test/", "https://desks.test"],
    [{ address: "not an address", port: 8443 }, "https://wat.test/", "https://wat.test:8443"],
  ] as const)
    test(`${asked} with ${JSON.stringify(portal)}`, () => {
      expect(portalOrigin(portal === undefined ? {} : { portal }, asked)).toBe(origin);
    });

  test("a ticket stands behind the #, which is sent to no server", () => {
    expect(visitAddress({}, "https://box.test:9443/", "t")).toBe("https://box.test:8443/visit#t");
  });
});
