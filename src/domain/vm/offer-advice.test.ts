import { expect, test } from "bun:test";
import type { AdministratorActor } from "../access/actor.ts";
import { type AdministratorId, asId, type TenantId } from "../ids.ts";
import type { FullAdvice } from "./explain-advice.ts";
import { offerAdvice } from "./offer-advice.ts";

const reader = (tenantId: number, acls: readonly string[]): AdministratorActor => ({
  ...{ kind: "administrator", administratorId: asId<AdministratorId>(1), login: "ada" },
  ...{ tenantId: asId<TenantId>(tenantId), tenantName: "acme", acls: new Set(acls) },
});
const UNBLOCK: FullAdvice = { text: "Unblock it.", command: "qvd vm unblock desk", needs: "vm.unblock" };
const UNDRAIN: FullAdvice = {
  ...{ text: "End the drain of node b.", command: "qvd node undrain b" },
  needs: "node.undrain",
};
const LOOK: FullAdvice = { text: "Look at the box.", command: "qvd node list", needs: "boxes" };

const offered = (advice: FullAdvice, to: AdministratorActor) => offerAdvice([advice], to)[0];

test("administrators of the site are told all of it, as far as their rights go", () => {
  for (const { needs: _, ...said } of [UNBLOCK, UNDRAIN, LOOK])
    expect(offerAdvice([{ needs: _, ...said }], reader(0, ["*"]))).toEqual([said]);
  expect(offered(UNDRAIN, reader(0, ["vm.update.block"]))).toEqual({
    text: "An administrator with the right host.update.block can do this: End the drain of node b.",
    command: null,
  });
});

test("a tenant's administrator is given what they may do to their desktops", () => {
  const { text, command } = UNBLOCK;
  expect(offered(UNBLOCK, reader(3, ["*"]))).toEqual({ text, command });
  expect(offered(UNBLOCK, reader(3, ["vm.spy."]))).toEqual({
    text: "An administrator with the right vm.update.block can do this: Unblock it.",
    command: null,
  });
});

test("what is the site's is told a tenant's administrator as the site's, without a command, whatever their rights", () => {
  for (const advice of [UNDRAIN, LOOK])
    expect(offered(advice, reader(3, ["*"]))).toEqual({
      text: `An administrator of the site can do this: ${advice.text}`,
      command: null,
    });
});
