import { createLdapAuthenticator } from "../../auth/ldap/ldap-authenticator.ts";
import { ServerHealth } from "../../auth/ldap/server-health.ts";
import { createAccountStore } from "../../auth/local/find-account.ts";
import { runAuth } from "../../auth/run-auth.ts";
import { Tickets } from "../../auth/ticket.ts";
import { openDatabase } from "../../db/client.ts";
import { systemClock } from "../../lib/clock.ts";
import { readSettingsKey } from "../box/settings-key.ts";
import type { Command } from "../command.ts";
import { openMode } from "../mode.ts";
import { readSystemAuthorities } from "./system-authorities.ts";
import { createTokenStore } from "./token-store.ts";
import { createTotpStore } from "./totp-store.ts";

export const authRun: Command = {
  name: "auth run",
  summary: "Prove who someone is, for broker and admin.",
  details:
    "Started by `qvd node run` as the account qvd-auth. Verifies passwords for the processes that may ask, each over a socket of its own.",
  examples: ["qvd auth run"],
  async run(io) {
    const { layout, log, database: address } = openMode(io);
    const database = openDatabase(await address("qvd_auth"), { max: 2, applicationName: "qvd auth" });
    const secretKey = await readSettingsKey(layout.settingsKey);
    const authLog = log.with({ process: "auth" });
    const ldap = createLdapAuthenticator({
      health: new ServerHealth(systemClock),
      systemAuthorities: await readSystemAuthorities(),
      secretKey,
      clock: systemClock,
      log: authLog,
    });
    try {
      await runAuth({
        socketPaths: [layout.authSocketForBroker, layout.authSocketForAdmin],
        accounts: createAccountStore(database.orm),
        secondFactors: createTotpStore(database.orm),
        tokens: createTokenStore(database.orm),
        tickets: new Tickets(secretKey),
        parts: { authenticators: [ldap] },
        log: authLog,
        signal: io.signal,
      });
    } finally {
      await database.close();
    }
    return 0;
  },
};
