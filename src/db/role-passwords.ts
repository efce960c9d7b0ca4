/** The random password of each role in an outside database, kept in a file that only its account can read. */

import { randomBytes } from "node:crypto";
import { chmod, chown, readFile, rename, writeFile } from "node:fs/promises";
import { AppError } from "../lib/errors.ts";
import { PROCESS_ROLES, type ProcessRole, rolePasswordFile } from "./url.ts";

export type FileOwner = { readonly uid: number; readonly gid: number };

/** Reads the passwords, making those that aren't there; `owners` names the account that each file is given to. */
export async function ensureRolePasswords(
  secretsFolder: string,
  owners: Partial<Readonly<Record<ProcessRole, FileOwner>>>,
): Promise<Record<ProcessRole, string>> {
  const entries = await Promise.all(
    PROCESS_ROLES.map(async (role) => {
      const file = rolePasswordFile(secretsFolder, role);
      const password = (await readKept(file)) ?? (await makePassword(file));
      const owner = owners[role];
      if (owner !== undefined) await chown(file, owner.uid, owner.gid);
      return [role, password] as const;
    }),
  );
  const passwords = Object.fromEntries(entries);
  return {
    qvd_node: passwords.qvd_node ?? "",
    qvd_admin: passwords.qvd_admin ?? "",
    qvd_auth: passwords.qvd_auth ?? "",
    qvd_broker: passwords.qvd_broker ?? "",
  };
}

async function readKept(file: string): Promise<string | undefined> {
  try {
    const text = (await readFile(file, "utf8")).trim();
    return text === "" ? undefined : text;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

async function makePassword(file: string): Promise<string> {
  const password = randomBytes(24).toString("base64url");
  // Whole or not at all: a half-written password would lock a role out.
  await writeFile(`${file}.new`, `${password}\n`, { mode: 0o400 }).catch((cause) => {
    const text = `can't write a password to ${file}; is this box prepared? (qvd box prepare)`;
    throw new AppError("conflict", text, { cause });
  });
  await chmod(`${file}.new`, 0o400);
  await rename(`${file}.new`, file);
  return password;
}
