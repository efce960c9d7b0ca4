/** System accounts of this box, read from the files that every Linux has. */

import { readFileSync } from "node:fs";
import { AppError } from "../lib/errors.ts";

export const ACCOUNTS = ["qvd-db", "qvd-auth", "qvd-broker", "qvd-admin", "qvd-net"] as const;
export type AccountName = (typeof ACCOUNTS)[number];
/** All accounts of ours are members; it opens the sockets that they share. */
export const SHARED_GROUP = "qvd";
/** May read the key of the TLS certificate: qvd-broker and qvd-admin. */
export const TLS_GROUP = "qvd-tls";

export type Account = { readonly uid: number; readonly gid: number };

/** Throws `not-found` with what to run when the account is missing. */
export function readAccount(name: AccountName, passwd = readFileSync("/etc/passwd", "utf8")): Account {
  const fields = findLine(passwd, name);
  if (fields === undefined) throw missing(`the system account ${name}`);
  return { uid: Number(fields[2]), gid: Number(fields[3]) };
}

/** Who builds images and looks at strangers' files; in no group of ours, unlike the others. */
export function readImageAccount(passwd: string): Account {
  const fields = findLine(passwd, "qvd-image");
  if (fields === undefined) throw missing("the system account qvd-image");
  return { uid: Number(fields[2]), gid: Number(fields[3]) };
}

export function readGroupId(name: string, group = readFileSync("/etc/group", "utf8")): number {
  const fields = findLine(group, name);
  if (fields === undefined) throw missing(`the group ${name}`);
  return Number(fields[2]);
}

function findLine(text: string, name: string): readonly string[] | undefined {
  return text
    .split("\n")
    .map((line) => line.split(":"))
    .find((fields) => fields[0] === name);
}

function missing(what: string): AppError {
  return new AppError("not-found", `${what} does not exist: script/bootstrap makes it`);
}
