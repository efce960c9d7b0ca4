import { randomBytes, X509Certificate } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { hostname } from "node:os";
import { SETTINGS, type SettingKey } from "../../config/settings.ts";
import { openDatabase } from "../../db/client.ts";
import { requireSchema } from "../../db/migrate.ts";
import { ensureRolePasswords } from "../../db/role-passwords.ts";
import { parseDatabaseUrl } from "../../db/url.ts";
import { AppError } from "../../lib/errors.ts";
import { inviteNode } from "../../service/node/invite.ts";
import { type Bundle, sealBundle } from "../../wire/join/bundle.ts";
import { formatJoinCode } from "../../wire/join/join-code.ts";
import { positional, textOption } from "../admin/arguments.ts";
import { listAltNames, signLeaf } from "../box/tls.ts";
import type { Command } from "../command.ts";
import { type Mode, openMode, requireRoot } from "../mode.ts";

/** Longer than a box's own, which renews itself: this one is renewed by another invitation. */
const LEAF_DAYS = 825;
/** Alike on all boxes of a site. */
const COMMON: readonly SettingKey[] = [
  ...(["networkRange", "networkNat", "networkGateway", "networkAllow", "networkDomain"] as const),
  ...(["idRangeFirst", "leaseSeconds", "placement", "memoryOvercommit"] as const),
];

export const nodeInvite: Command = {
  name: "node invite",
  summary: "Print a code by which one more box joins this site, as root of this box.",
  positionals: ["NAME"],
  options: {
    address: {
      type: "text",
      value: "HOST",
      doc: "Name or address by which others reach the new box, for its certificate.",
    },
    "database-host": {
      type: "text",
      value: "HOST",
      doc: "Where the new box finds the database, when this box calls it by another name.",
    },
    hours: { type: "text", value: "NUMBER", doc: "How long the code is good for; 1 when not given." },
  },
  details: [
    "NAME is the new box's in the site. The code is good once; whoever holds it gets the database's passwords, so it is sent like one.",
    "Needs a database that other boxes can reach (QVD_DATABASE_URL); the embedded one answers on this box only.",
  ].join("\n"),
  examples: ["qvd node invite box2", "qvd node invite box2 --address 192.0.2.12 --hours 8"],
  async run(io, args) {
    requireRoot("qvd node invite");
    const nodeName = positional(args, 0, "NAME");
    const hours = Number(textOption(args, "hours") ?? "1");
    if (!(hours > 0 && hours <= 168))
      throw new AppError("bad-input", "--hours must be from 1 to 168", { field: "hours" });
    const mode = openMode(io);
    const databaseUrl = reachableDatabase(mode.config.databaseUrl, textOption(args, "database-host"));
    const bundle = await composeBundle(mode, { nodeName, databaseUrl, address: textOption(args, "address") });
    const code = {
      address: `${bracketed(mode.config.nodeAddress || hostname())}:${mode.config.adminPort}`,
      fingerprint: new X509Certificate(bundle.caCertificate).fingerprint256.replaceAll(":", "").toLowerCase(),
      id: randomBytes(16).toString("base64url"),
      key: randomBytes(32),
    };
    const sealed = sealBundle(bundle, code.key, randomBytes);
    const database = openDatabase(await mode.database("qvd_owner"), {
      max: 1,
      applicationName: "qvd node invite",
    });
    try {
      await requireSchema(database.sql);
      const context = { db: database.orm, actor: { kind: "system", what: "rescue" } } as const;
      await inviteNode(context, { id: code.id, sealed, nodeName, validSeconds: Math.round(hours * 3600) });
    } finally {
      await database.close();
    }
    io.err(
      `On the new box, within ${hours === 1 ? "an hour" : `${hours} hours`}, as root: qvd node join, and give it this:\n`,
    );
    io.out(`${formatJoinCode(code)}\n`);
    return 0;
  },
};

/** The owner's URL as the new box needs it; throws `conflict` where it leads nowhere from there. */
export function reachableDatabase(databaseUrl: string, host: string | undefined): string {
  if (databaseUrl === "")
    throw new AppError(
      "conflict",
      "this site can't have a second box yet: its database is the embedded one, which answers on this box only. Move it to a PostgreSQL that both can reach (pg_dump, then QVD_DATABASE_URL on this box; docs/operations/nodes.md), and invite again",
    );
  const url = parseDatabaseUrl(databaseUrl);
  if (host !== undefined) url.hostname = bracketed(host);
  if (host !== undefined || !/^(localhost|127\..*|\[::1\]|)$/.test(url.hostname)) return url.href;
  throw new AppError(
    "conflict",
    "QVD_DATABASE_URL names this box itself (localhost), which is another one from there: give --database-host with the name by which the new box reaches the database",
  );
}

async function composeBundle(
  { config, layout }: Mode,
  given: { readonly nodeName: string; readonly databaseUrl: string; readonly address: string | undefined },
): Promise<Bundle> {
  const caKey = `${layout.secretsFolder}/ca.key`;
  if (!existsSync(caKey))
    throw new AppError(
      "not-found",
      `the key of the site's authority is not on this box (${caKey}): invite from the box that the site began with`,
    );
  const { nodeName, databaseUrl, address } = given;
  const isNumeric = address !== undefined && (/^[0-9.]+$/.test(address) || address.includes(":"));
  const addresses = isNumeric ? [address] : [];
  const names = address === undefined || isNumeric ? [] : [`DNS:${address}`];
  const altNames = [listAltNames(nodeName, addresses), ...names].join(",");
  const authority = { certificate: layout.caCertificate, key: caKey };
  const leaf = { commonName: nodeName, altNames, days: LEAF_DAYS };
  const [key, certificate] = await signLeaf(authority, leaf, (keyFile, certificateFile) =>
    Promise.all([readFile(keyFile, "utf8"), readFile(certificateFile, "utf8")]),
  );
  return {
    version: 1,
    nodeName,
    databaseUrl,
    rolePasswords: await ensureRolePasswords(layout.secretsFolder, {}),
    caCertificate: await readFile(layout.caCertificate, "utf8"),
    certificate,
    key,
    settingsKey: (await readFile(layout.settingsKey, "utf8")).trim(),
    settings: {
      ...Object.fromEntries(COMMON.map((name) => [SETTINGS[name].name, String(config[name])])),
      ...(address === undefined ? {} : { [SETTINGS.nodeAddress.name]: address }),
    },
    sharedFolder: config.sharedFolder,
  };
}

function bracketed(host: string): string {
  return host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
}
