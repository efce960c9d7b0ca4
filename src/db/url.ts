/**
 * Where the database is and as whom a process speaks to it. Each process has a role of its own, with the
 * rights of its verbs and no more. In the embedded cluster (unix socket) the operating system's account
 * proves the role, so that no password exists; in a database of the site's own each role has a random
 * password, which `qvd migrate` made and which only that role's account can read.
 */

import { readFile } from "node:fs/promises";
import { AppError } from "../lib/errors.ts";

export const PROCESS_ROLES = ["qvd_node", "qvd_admin", "qvd_auth", "qvd_broker"] as const;
export type ProcessRole = (typeof PROCESS_ROLES)[number];
/** `qvd_owner` owns the schema and migrates it. */
export type DatabaseRole = ProcessRole | "qvd_owner";

export const DATABASE_NAME = "qvd";

export type DatabaseAddress =
  | { readonly kind: "socket"; readonly folder: string; readonly role: string; readonly database: string }
  | { readonly kind: "url"; readonly url: string };

export type DatabasePlace = {
  /** The owner's URL of an outside database, or empty for the embedded one. */
  readonly databaseUrl: string;
  readonly socketFolder: string;
  readonly secretsFolder: string;
};

/** The file that keeps a role's password when the database is an outside one. */
export function rolePasswordFile(secretsFolder: string, role: ProcessRole): string {
  return `${secretsFolder}/database-${role}`;
}

/** How to reach the database as `role`; reads that role's password file when the database is an outside one. */
export async function roleDatabase(place: DatabasePlace, role: DatabaseRole): Promise<DatabaseAddress> {
  if (place.databaseUrl === "") {
    return { kind: "socket", folder: place.socketFolder, role, database: DATABASE_NAME };
  }
  const url = parseDatabaseUrl(place.databaseUrl);
  if (role !== "qvd_owner") {
    url.username = role;
    url.password = encodeURIComponent(await readRolePassword(rolePasswordFile(place.secretsFolder, role)));
  }
  return { kind: "url", url: url.href };
}

export function parseDatabaseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !["postgres:", "postgresql:"].includes(url.protocol) || url.pathname.length < 2) {
    // The text itself is not repeated: it may hold a password.
    throw new AppError(
      "bad-input",
      "QVD_DATABASE_URL is not an address of PostgreSQL; it must look like postgres://owner:password@host:5432/qvd",
      { field: "QVD_DATABASE_URL" },
    );
  }
  return url;
}

async function readRolePassword(file: string): Promise<string> {
  try {
    return (await readFile(file, "utf8")).trim();
  } catch (cause) {
    throw new AppError(
      "unavailable",
      `read the database password in ${file}: run \`qvd migrate\` as root, which makes it`,
      { cause },
    );
  }
}
