/**
 * Makes the person's account and home as `planAccount` decided. Removes nothing but what the same call made:
 * a home is built beside its place and moved there when it is whole.
 */

import { existsSync, lstatSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { describeError } from "../lib/errors.ts";
import { runOk } from "../lib/run.ts";
import type { GuestAccount, GuestFault } from "../wire/guest/messages.ts";
import { type AccountPlan, type HomeFound, planAccount } from "./account.ts";

export type Provisioned =
  | { readonly isGood: true; readonly home: string; readonly gid: number; readonly shell: string }
  | { readonly isGood: false; readonly fault: GuestFault; readonly text: string };

const TIMEOUT_MS = 10_000;

/** Never throws; may be called again at any time, and then finds its own work done. */
export async function provision(account: GuestAccount): Promise<Provisioned> {
  try {
    if (!existsSync("/home")) return fail("home-missing", "the desktop has no /home");
    const plan = planAccount(account, {
      passwd: readFileSync("/etc/passwd", "utf8"),
      group: readFileSync("/etc/group", "utf8"),
      home: observeHome(`/home/${account.login}`),
    });
    if (plan.outcome === "refused") return fail(plan.fault, plan.text);
    const shell = existsSync("/bin/bash") ? "/bin/bash" : "/bin/sh";
    await execute(account, plan, shell);
    return { isGood: true, home: plan.home, gid: plan.gid, shell };
  } catch (error) {
    return fail("account-failed", describeError(error));
  }
}

async function execute(
  account: GuestAccount,
  plan: Extract<AccountPlan, { outcome: "accepted" }>,
  shell: string,
): Promise<void> {
  const id = String(account.uid);
  if (plan.needsGroup) {
    await runOk("making the account's group", ["groupadd", "--gid", id, account.login], {
      timeoutMs: TIMEOUT_MS,
    });
  }
  if (plan.needsUser) {
    const command = ["useradd", "--uid", id, "--gid", id, "--home-dir", plan.home, "--no-create-home"];
    command.push("--no-user-group", "--no-log-init", "--shell", shell);
    command.push("--comment", plainName(account.fullName), account.login);
    await runOk("making the account", command, { timeoutMs: TIMEOUT_MS });
  }
  if (plan.needsHome) await makeHome(account.uid, plan);
}

async function makeHome(uid: number, plan: { readonly home: string; readonly gid: number }): Promise<void> {
  const made = mkdtempSync("/home/.new-");
  try {
    if (existsSync("/etc/skel")) {
      await runOk("filling the home", ["cp", "-a", "/etc/skel/.", made], { timeoutMs: TIMEOUT_MS });
    }
    await runOk("giving the home away", ["chown", "-R", "--no-dereference", `${uid}:${plan.gid}`, made], {
      timeoutMs: TIMEOUT_MS,
    });
    await runOk("closing the home to others", ["chmod", "0700", made], { timeoutMs: TIMEOUT_MS });
    renameSync(made, plan.home);
  } catch (error) {
    rmSync(made, { recursive: true, force: true });
    throw error;
  }
}

function observeHome(home: string): HomeFound {
  const found = lstatSync(home, { throwIfNoEntry: false });
  if (found === undefined) return { kind: "missing" };
  return found.isDirectory() ? { kind: "folder", uid: found.uid } : { kind: "other" };
}

/** The field ends at a colon and its parts at commas. */
function plainName(name: string): string {
  return name.replace(/[:,\n\p{Cc}]/gu, " ").slice(0, 100);
}

function fail(fault: GuestFault, text: string): Provisioned {
  return { isGood: false, fault, text };
}
