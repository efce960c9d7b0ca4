import { runAdmin } from "../../admin/run-admin.ts";
import { createAuthClient } from "../../auth/client.ts";
import { hashPassword } from "../../auth/password.ts";
import { openDatabase } from "../../db/client.ts";
import { systemClock } from "../../lib/clock.ts";
import type { Command } from "../command.ts";
import { openMode } from "../mode.ts";

export const adminRun: Command = {
  name: "admin run",
  summary: "Serve the web admin tool and the API.",
  details:
    "Needs no rights but those of the account qvd-admin. While the database or auth is away it stays up and says so.",
  examples: ["qvd admin run"],
  async run(io) {
    const { config, layout, log, database: addressOf } = openMode(io);
    const database = openDatabase(await addressOf("qvd_admin"), { max: 8, applicationName: "qvd admin" });
    const auth = createAuthClient({ path: layout.authSocketForAdmin, log });
    try {
      await runAdmin({
        database,
        auth,
        address: config.adminAddress,
        port: config.adminPort,
        tlsKey: layout.tlsKey,
        tlsCertificate: layout.tlsCertificate,
        wakeSocket: layout.wakeSocket,
        incomingFolder: layout.incomingFolder,
        networkRange: config.networkRange,
        hashPassword,
        clock: systemClock,
        log,
        signal: io.signal,
      });
      return 0;
    } finally {
      auth.close();
      await database.close();
    }
  },
};
