import { readFile } from "node:fs/promises";
import { findSettingName } from "../../domain/setting/registry.ts";
import { AppError } from "../../lib/errors.ts";
import { given, positional, textOption } from "../admin/arguments.ts";
import { readPassword } from "../admin/read-password.ts";
import { openApi } from "../api-client.ts";
import type { Command, CommandArgs, CommandIo } from "../command.ts";
import { TENANT_OPTION } from "./arguments.ts";
import { listSettings } from "./list.ts";

export const configSet: Command = {
  name: "config set",
  summary: "Set a setting of the site or of a tenant.",
  positionals: ["NAME", "[VALUE]"],
  options: {
    ...TENANT_OPTION,
    file: { type: "text", value: "FILE", doc: "Take the value from this file, such as a certificate." },
  },
  details:
    "It holds at once, nothing is restarted. A secret is asked for, or read from stdin where there is no terminal: on a command line every account of the machine can read it.",
  examples: [
    "qvd config set l7r.auth.plugins ldap,auto --tenant sales",
    "qvd config set auth.ldap.bindpass --tenant sales",
    "qvd config set auth.ldap.ca --file /etc/ssl/directory-ca.pem",
  ],
  async run(io, args) {
    const givenName = positional(args, 0, "NAME");
    const name = findSettingName(givenName) ?? givenName;
    const tenant = textOption(args, "tenant");
    const api = await openApi(io.env);
    const setting = (await listSettings(api, tenant)).find((one) => one.name === name);
    if (setting === undefined)
      throw new AppError("not-found", `there is no setting ${name}; \`qvd config list\` shows all`);
    const value = setting.kind === "secret" ? await readSecret(io, args, name) : await readValue(args);
    await api.ask("PUT", `/settings/${encodeURIComponent(name)}`, { value, ...given({ tenant }) });
    io.err(`set ${name}${tenant === undefined ? "" : ` of ${tenant}`}\n`);
    return 0;
  },
};

async function readSecret(io: CommandIo, args: CommandArgs, name: string): Promise<string> {
  if (args.positionals[1] !== undefined)
    throw new AppError(
      "bad-input",
      `${name} is a secret: leave it off the command line, where every account can read it; it is asked for`,
    );
  return textOption(args, "file") === undefined
    ? await readPassword(io, `${name}: `)
    : (await readValue(args)).replace(/\r?\n$/, "");
}

async function readValue(args: CommandArgs): Promise<string> {
  const file = textOption(args, "file");
  if (file === undefined) {
    const value = args.positionals[1];
    if (value !== undefined) return value;
    throw new AppError("bad-input", "VALUE is missing", { field: "VALUE" });
  }
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    throw new AppError("bad-input", `can't read ${file}`, { field: "file", cause });
  }
}
