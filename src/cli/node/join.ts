import { existsSync } from "node:fs";
import { chmod, chown, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { SETTINGS } from "../../config/settings.ts";
import { PROCESS_ROLES, type ProcessRole, rolePasswordFile } from "../../db/url.ts";
import type { Layout } from "../../domain/node/layout.ts";
import { AppError } from "../../lib/errors.ts";
import type { Bundle } from "../../wire/join/bundle.ts";
import { parseJoinCode } from "../../wire/join/join-code.ts";
import { type Account, readAccount } from "../accounts.ts";
import { flag } from "../admin/arguments.ts";
import { readPassword } from "../admin/read-password.ts";
import { prepareBox } from "../box/prepare.ts";
import type { Command } from "../command.ts";
import { openMode, requireRoot } from "../mode.ts";
import { fetchBundle } from "./fetch-bundle.ts";
import { mergeSettings } from "./merge-settings.ts";

export const nodeJoin: Command = {
  name: "node join",
  summary: "Make this box one of a site, by the code that `qvd node invite` printed there.",
  positionals: ["[CODE]"],
  options: {
    again: {
      type: "flag",
      doc: "This box is of the site already: give it new passwords and a new certificate.",
    },
    "dry-run": { type: "flag", doc: "Only check the code's form and this box, and don't use the code up." },
  },
  details:
    "Without CODE it is asked for, or read from stdin where there is no terminal: on a command line every account of the machine can read it. " +
    "Writes the site's authority, a certificate and the database's passwords into the state folder, and settings into the file that QVD_CONFIG names. The next `qvd node run` registers the box.",
  examples: ["qvd node join", "qvd node join --dry-run"],
  async run(io, args) {
    requireRoot("qvd node join");
    const code = parseJoinCode(args.positionals[0] ?? (await readPassword(io, "Join code: ")));
    const settingsFile = io.env.QVD_CONFIG ?? "/etc/qvd/qvd.conf";
    // It is about to be made.
    const env = existsSync(settingsFile) ? io.env : { ...io.env, QVD_CONFIG: "/dev/null" };
    const { layout } = openMode({ ...io, env });
    refuseUsed(layout, flag(args, "again"));
    const owners = readOwners();
    if (flag(args, "dry-run")) {
      io.err(`would ask ${code.address}, and write to ${layout.secretsFolder} and ${settingsFile}\n`);
      return 0;
    }
    const bundle = await fetchBundle(code);
    await writeSecrets(layout, bundle, owners);
    await writeSettings(settingsFile, bundle);
    await prepareBox(layout);
    io.err(`this box is ${bundle.nodeName} of the site now; \`qvd node run\` registers it\n`);
    if (bundle.sharedFolder !== "")
      io.err(
        `The site keeps images and homes in a shared folder (${bundle.sharedFolder} on the inviting box): mount it here and set QVD_SHARED in ${settingsFile}.\n`,
      );
    return 0;
  },
};

/** A box with a site of its own would lose the way to it. */
function refuseUsed(layout: Layout, isAgain: boolean): void {
  const found = [layout.databaseFolder, layout.tlsCertificate].find((path) => existsSync(path));
  if (found === undefined || isAgain) return;
  throw new AppError(
    "conflict",
    `this box is of a site already: there is ${found}. Say --again when it is of the very site that it joins, else give it another state folder (QVD_STATE)`,
  );
}

type Owners = Partial<Readonly<Record<ProcessRole, Account>>>;

function readOwners(): Owners {
  return {
    qvd_auth: readAccount("qvd-auth"),
    qvd_broker: readAccount("qvd-broker"),
    qvd_admin: readAccount("qvd-admin"),
  };
}

/** Modes and owners of the TLS key are set by `prepareBox`, as on every box. */
async function writeSecrets(layout: Layout, bundle: Bundle, owners: Owners): Promise<void> {
  await mkdir(layout.secretsFolder, { recursive: true, mode: 0o711 });
  for (const role of PROCESS_ROLES) {
    const password = bundle.rolePasswords[role];
    if (password === undefined)
      throw new AppError("bad-input", `joining: the site handed out no password for ${role}`);
    await replace(rolePasswordFile(layout.secretsFolder, role), `${password}\n`, {
      mode: 0o400,
      owner: owners[role],
    });
  }
  await replace(layout.caCertificate, bundle.caCertificate, { mode: 0o644 });
  await replace(layout.tlsKey, bundle.key, { mode: 0o600 });
  await replace(layout.tlsCertificate, bundle.certificate, { mode: 0o644 });
  await replace(layout.settingsKey, `${bundle.settingsKey}\n`, { mode: 0o400, owner: owners.qvd_auth });
}

async function writeSettings(path: string, bundle: Bundle): Promise<void> {
  const before = existsSync(path) ? await readFile(path, "utf8") : "";
  const text = mergeSettings(before, {
    [SETTINGS.nodeName.name]: bundle.nodeName,
    [SETTINGS.databaseUrl.name]: bundle.databaseUrl,
    ...bundle.settings,
  });
  await mkdir(dirname(path), { recursive: true });
  // It holds the owner's password.
  await replace(path, text, { mode: 0o600 });
}

async function replace(
  path: string,
  text: string,
  how: { readonly mode: number; readonly owner?: Account | undefined },
): Promise<void> {
  await writeFile(`${path}.new`, text, { mode: 0o600 });
  if (how.owner !== undefined) await chown(`${path}.new`, how.owner.uid, how.owner.gid);
  await chmod(`${path}.new`, how.mode);
  await rename(`${path}.new`, path);
}
