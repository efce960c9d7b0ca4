import { runAuth } from "../../auth/run-auth.ts";
import { openDatabase } from "../../db/client.ts";
import { readSettingsKey } from "../box/settings-key.ts";
import type { Command } from "../command.ts";
import { openMode } from "../mode.ts";
import { createChainParts } from "./chain-parts.ts";
import { keepSweepingTokens } from "./keep-sweeping.ts";
import { createProofParts } from "./proof-parts.ts";
import { standBack } from "./stand-back.ts";
import { readSystemAuthorities } from "./system-authorities.ts";

export const authRun: Command = {
  name: "auth run",
  summary: "Prove who someone is, for broker and admin.",
  details:
    "Started by `qvd node run` as the account qvd-auth. Verifies passwords for the processes that may ask, each over a socket of its own.",
  examples: ["qvd auth run"],
  async run(io) {
    standBack();
    const { config, layout, log, database: address } = openMode(io);
    const database = openDatabase(await address("qvd_auth"), { max: 4, applicationName: "qvd auth" });
    const secretKey = await readSettingsKey(layout.settingsKey);
    const authLog = log.with({ process: "auth" });
    const systemAuthorities = await readSystemAuthorities();
    const chain = createChainParts(database.orm, {
      secretKey,
      systemAuthorities,
      networkRange: config.networkRange,
      log: authLog,
    });
    void keepSweepingTokens({ db: database.orm, log: authLog }, io.signal);
    try {
      await runAuth({
        socketPaths: [layout.authSocketForBroker, layout.authSocketForAdmin],
        adminSocketPath: layout.authSocketForAdmin,
        ...chain,
        ...createProofParts(database.orm, { secretKey, systemAuthorities }),
        log: authLog,
        signal: io.signal,
      });
    } finally {
      await database.close();
    }
    return 0;
  },
};
