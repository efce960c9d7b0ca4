import { describe, expect, test } from "bun:test";
import type { AdministratorId, TenantId, UserId, VmId } from "../ids.ts";
import { ACTIONS, type Action } from "./action.ts";
import { type Actor, formatActor } from "./actor.ts";
import { decideAccess, hasAcl, visibleTenant } from "./decide-access.ts";

const tenant = (id: number) => id as TenantId;
const administrator = (tenantId: number, acls: readonly string[]) =>
  ({
    kind: "administrator",
    administratorId: 1 as AdministratorId,
    login: "root",
    tenantId: tenant(tenantId),
    tenantName: tenantId === 0 ? "*" : `t${tenantId}`,
    acls: new Set(acls),
  }) as const;
const user = {
  kind: "user",
  userId: 7 as UserId,
  login: "ann",
  tenantId: tenant(1),
  tenantName: "t1",
} as const;

const actions = Object.keys(ACTIONS) as Action[];
const theirs = { tenantId: tenant(1), ownerId: 7 as UserId, vmId: 3 as VmId };

describe.each(actions)("%s", (action) => {
  const rule: { acl: string; scope: string; also?: readonly string[]; forAdministrators?: false } =
    ACTIONS[action];

  test("needs its own acl of an administrator, or all of them", () => {
    const expected = rule.forAdministrators === false ? "forbidden" : "allowed";
    expect(decideAccess(administrator(0, [rule.acl]), action, theirs)).toBe(expected);
    expect(decideAccess(administrator(0, ["*"]), action, theirs)).toBe(expected);
    expect(decideAccess(administrator(0, []), action, theirs)).toBe("forbidden");
    expect(decideAccess(administrator(0, ["some.other."]), action, theirs)).toBe("forbidden");
  });

  test("of another tenant is hidden from a tenant's administrator, or forbidden", () => {
    const found = decideAccess(administrator(2, ["*"]), action, theirs);
    expect(found).toBe(rule.scope === "tenant" && rule.forAdministrators !== false ? "hidden" : "forbidden");
  });

  test("on a thing of no known tenant is never allowed to a tenant's administrator", () => {
    expect(decideAccess(administrator(1, ["*"]), action, {})).not.toBe("allowed");
  });

  test("is a user's, a desktop's or a node's only where the rule says so", () => {
    const is = (kind: string) => (rule.also?.includes(kind) ? "allowed" : "forbidden");
    expect(decideAccess(user, action, theirs)).toBe(is("owner"));
    expect(decideAccess({ ...user, userId: 8 as UserId }, action, theirs)).toBe("forbidden");
    expect(decideAccess(user, action, {})).toBe("forbidden");
    expect(decideAccess({ kind: "vm", vmId: 3 as VmId }, action, theirs)).toBe(is("vm"));
    expect(decideAccess({ kind: "vm", vmId: 4 as VmId }, action, theirs)).toBe("forbidden");
    expect(decideAccess({ kind: "node", name: "n" }, action, theirs)).toBe(is("node"));
  });
});

test("lists of a tenant's administrator are limited to it, those of the site's to nothing", () => {
  expect(visibleTenant(administrator(3, []))).toBe(tenant(3));
  expect(visibleTenant(administrator(0, []))).toBeUndefined();
});

test("an empty acl is nobody's but theirs who have all", () => {
  expect(hasAcl(new Set(["vm.create."]), "")).toBe(false);
  expect(hasAcl(new Set(["*"]), "")).toBe(true);
});

test.each<[Actor, string]>([
  [administrator(0, []), "administrator:root@*"],
  [user, "user:ann@t1"],
  [{ kind: "vm", vmId: 5 as VmId }, "vm:5"],
  [{ kind: "node", name: "box-1" }, "node:box-1"],
  [{ kind: "system", what: "demo" }, "system:demo"],
])("%p is written %p", (actor, text) => {
  expect(formatActor(actor)).toBe(text);
});
