import { expect, test } from "bun:test";
import type { AdministratorActor } from "../access/actor.ts";
import { type AdministratorId, asId, type TenantId } from "../ids.ts";
import { decideVisitEnd, type VisitFacts } from "./decide-visit-end.ts";

const TENANT = asId<TenantId>(1);

function administrator(acls: readonly string[], tenantId = 0): AdministratorActor {
  return {
    kind: "administrator",
    administratorId: asId<AdministratorId>(1),
    login: "maria",
    tenantId: asId<TenantId>(tenantId),
    tenantName: "*",
    acls: new Set(acls),
  };
}

const GOING_ON: VisitFacts = {
  kind: "console",
  mayControl: true,
  tenantId: TENANT,
  isEnded: false,
  endCause: null,
  isOutlived: false,
  isPersonThere: false,
  isByRight: true,
  asker: administrator(["*"]),
  isSignedOut: false,
};

const INVITED = { kind: "watch", isByRight: false, asker: undefined } as const;

for (const [what, facts, end] of [
  ["goes on by its administrator's right", {}, undefined],
  ["goes on by the owner's invitation", INVITED, undefined],
  ["is over as it was ended", { isEnded: true, endCause: "sent-away" }, "sent-away"],
  ["is over where an older version ended it", { isEnded: true, endCause: "who-knows" }, "session-over"],
  ["is over with what it shows, or after a day", { ...INVITED, isOutlived: true }, "session-over"],
  ["ends for an administrator who is blocked or gone", { asker: undefined }, "right-lost"],
  ["ends without any right", { asker: administrator([]) }, "right-lost"],
  ["ends in a tenant that isn't theirs", { asker: administrator(["*"], 2) }, "right-lost"],
  ["goes on in their own tenant", { asker: administrator(["*"], 1) }, undefined],
  [
    "needs the right to control, not only to see",
    { kind: "watch", asker: administrator(["vm.spy."]) },
    "right-lost",
  ],
  [
    "needs no more than to see for who only looks",
    { kind: "watch", mayControl: false, asker: administrator(["vm.spy."]) },
    undefined,
  ],
  ["ends for who signed out", { isSignedOut: true }, "signed-out"],
  ["gives way to the machine's person", { isPersonThere: true }, "person-came"],
] as const satisfies readonly (readonly [string, Partial<VisitFacts>, string | undefined])[])
  test(`a visit ${what}`, () => expect(decideVisitEnd({ ...GOING_ON, ...facts })).toBe(end));
