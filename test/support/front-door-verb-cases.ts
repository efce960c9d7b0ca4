/** Verbs of settings, of sign-ins and of people's web sessions: rows of the table of verb-cases.ts. */

import { userWebSessions } from "../../src/db/schema/index.ts";
import { changeSettings } from "../../src/service/setting/change-many.ts";
import { setSetting } from "../../src/service/setting/set.ts";
import { unsetSetting } from "../../src/service/setting/unset.ts";
import { recordForgotten } from "../../src/service/sign-in-throttle/forget.ts";
import { provisionUser } from "../../src/service/user/provision.ts";
import { upgradeHash } from "../../src/service/user/upgrade-hash.ts";
import { beginWebSession } from "../../src/service/web-session/begin.ts";
import { issueTicket } from "../../src/service/web-session/issue-ticket.ts";
import { SEED_RANGE } from "./db-seed.ts";
import type { Case, Scene } from "./verb-cases.ts";

const RANDOM = { randomToken: () => crypto.randomUUID() };
const SEAL = { sealSecret: () => Promise.reject(new Error("no secret is set here")) };
const keyboard = (s: Scene) => ({ tenantId: s.tenantId, name: "vma.default.client.keyboard" });
const WEB_TOKEN = "of alice's browser";
/** A program of ours, whoever asks. */
const nobody = { also: [], site: false } as const;

export const FRONT_DOOR_CASES: Readonly<Record<string, Case>> = {
  "setting/set": {
    also: ["tenant"],
    call: (c, s) => setSetting(c, SEAL, { ...keyboard(s), value: "pc105/es" }),
  },
  "setting/change-many": {
    also: ["tenant"],
    call: (c, s) => {
      const { tenantId, name } = keyboard(s);
      return changeSettings(c, SEAL, { tenantId, values: { [name]: "pc105/de" } });
    },
  },
  "setting/unset": {
    also: ["tenant"],
    prepare: (c, s) => setSetting(c, SEAL, { ...keyboard(s), value: "pc105/pt" }),
    call: (c, s) => unsetSetting(c, keyboard(s)),
  },
  "sign-in-throttle/forget": {
    also: ["tenant"],
    // It notes who did it, which is all that any of these processes could do.
    roles: ["qvd_admin", "qvd_node", "qvd_auth", "qvd_broker"],
    call: (c) => recordForgotten(c, { name: "alice", tenant: "default", lane: "account" }),
  },
  "user/provision": {
    ...nobody,
    roles: ["qvd_auth", "qvd_admin"],
    call: (c, s, login) =>
      provisionUser(
        c,
        { networkRange: SEED_RANGE },
        {
          tenantId: s.tenantId,
          login,
          fullName: "",
          by: "ldap",
          diTag: "default",
          mostVms: 3,
          osfId: s.osfId,
        },
      ),
  },
  "user/upgrade-hash": {
    ...nobody,
    roles: ["qvd_auth"],
    call: (c, s) =>
      upgradeHash(
        c,
        { id: { userId: s.alice.userId }, tenantId: s.tenantId, login: "alice" },
        { oldHash: "of before", newHash: "of today" },
      ),
  },
  "web-session/begin": {
    ...nobody,
    roles: ["qvd_broker"],
    call: (c, s) => beginWebSession(c, RANDOM, { userId: s.alice.userId }),
  },
  "web-session/issue-ticket": {
    also: ["owner"],
    site: false,
    roles: ["qvd_broker"],
    prepare: async (c, s) => {
      await s.owner.delete(userWebSessions);
      await beginWebSession(c, { randomToken: () => WEB_TOKEN }, { userId: s.alice.userId });
    },
    call: (c, s) => issueTicket(c, RANDOM, { vmId: s.alice.vmId, sessionToken: WEB_TOKEN }),
  },
};
