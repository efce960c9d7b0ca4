import { expect, test } from "bun:test";
import { asId, type TenantId } from "../ids.ts";
import { incomingName, isIncomingOf } from "./incoming-name.ts";

const tenant = asId<TenantId>(4);

test("the site's files keep their names, and the site may take any", () => {
  expect(incomingName("desk.tar", undefined)).toBe("desk.tar");
  expect(isIncomingOf("tenant-4.desk.tar", undefined)).toBe(true);
});

test("a tenant's files carry it in their names, once", () => {
  expect(incomingName("desk.tar", tenant)).toBe("tenant-4.desk.tar");
  expect(incomingName("tenant-4.desk.tar", tenant)).toBe("tenant-4.desk.tar");
});

test.each(["desk.tar", "tenant-40.desk.tar", "tenant-5.desk.tar", "tenant-4", "x.tenant-4.desk.tar"])(
  "%s is not that tenant's, and can't become it by another's upload",
  (name) => {
    expect(isIncomingOf(name, tenant)).toBe(false);
    expect(incomingName("tenant-4.desk.tar", asId<TenantId>(5))).toBe("tenant-5.tenant-4.desk.tar");
  },
);
