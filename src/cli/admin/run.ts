import { runAdmin } from "../../admin/run-admin.ts";
import { BoundedQueue } from "../../auth/bounded-queue.ts";
import { createAuthClient } from "../../auth/client.ts";
import { hashPassword } from "../../auth/password.ts";
import { openDatabase } from "../../db/client.ts";
import { systemClock } from "../../lib/clock.ts";
import { AppError } from "../../lib/errors.ts";
import { sealSecret } from "../../wire/setting/sealed-secret.ts";
import { readSettingsKey } from "../box/settings-key.ts";
import type { Command } from "../command.ts";
import { openMode } from "../mode.ts";

/** Each hash takes 46 MiB while it runs. */
const HASHES = { atOnce: 2, waiting: 32 };

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
        caCertificate: layout.caCertificate,
        wakeSocket: layout.wakeSocket,
        incomingFolder: layout.incomingFolder,
        networkRange: config.networkRange,
        portal: { address: config.portalAddress, port: config.brokerPort },
        hashPassword: boundedHash(),
        sealSecret: async (use, secret) =>
          sealSecret(await readSettingsKey(layout.settingsPublicKey), use, secret),
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

function boundedHash(): (password: string) => Promise<string> {
  const queue = new BoundedQueue(HASHES);
  return async (password) => {
    const hash = await queue.run(() => hashPassword(password));
    if (hash !== undefined) return hash;
    throw new AppError("unavailable", "too many passwords are being set at once; try again in a moment");
  };
}
