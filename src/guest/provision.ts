/**
 * Makes the person's account and home as `planAccount` decided. Removes nothing but what the same call made:
 * a home is built beside its place and moved there when it is whole.
 *
 * The account's lines are written here: `groupadd` and `useradd` take 17 ms of each start of a desktop, while
 * the person waits. Beside the lines they would only give out subordinate ids, which lie outside the
 * desktop's range.
 */

import {
  appendFileSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
} from "node:fs";
import { describeError } from "../lib/errors.ts";
import { runOk } from "../lib/run.ts";
import type { GuestAccount, GuestFault } from "../wire/guest/messages.ts";
import { type AccountPlan, type HomeFound, planAccount } from "./account.ts";
import { accountLines } from "./account-lines.ts";
import type { HookOutcome } from "./hooks/hooks.ts";

export type Provisioned =
  | { readonly isGood: true; readonly home: string; readonly gid: number; readonly shell: string }
  | { readonly isGood: false; readonly fault: GuestFault; readonly text: string };

/** Runs one of the image's own ways to do a part of it. */
export type ProvisioningHook = (hook: "mount_home" | "add_user" | "after_add_user") => Promise<HookOutcome>;

const TIMEOUT_MS = 10_000;

/** Never throws; may be called again at any time, and then finds its own work done. */
export async function provision(
  account: GuestAccount,
  hook: ProvisioningHook = async () => ({ kind: "absent" }),
): Promise<Provisioned> {
  try {
    if (!existsSync("/home")) return fail("home-missing", "the desktop has no /home");
    const shell = existsSync("/bin/bash") ? "/bin/bash" : "/bin/sh";
    let plan = observeAndPlan(account);
    if (plan.outcome === "refused") return fail(plan.fault, plan.text);
    const isNewAccount = plan.needsUser;
    for (const [name, isNeeded] of [
      ["mount_home", plan.needsHome],
      ["add_user", plan.needsUser],
    ] as const) {
      const outcome = isNeeded ? await hook(name) : ({ kind: "absent" } as const);
      if (outcome.kind === "failed") return fail("hook-failed", outcome.text);
      // What it did is taken as found: whatever it left undone is done our way.
      if (outcome.kind === "done") plan = observeAndPlan(account);
      if (plan.outcome === "refused") return fail(plan.fault, plan.text);
    }
    await execute(account, plan, shell);
    const after = isNewAccount ? await hook("after_add_user") : ({ kind: "absent" } as const);
    if (after.kind === "failed") return fail("hook-failed", after.text);
    return { isGood: true, home: plan.home, gid: plan.gid, shell };
  } catch (error) {
    return fail("account-failed", describeError(error));
  }
}

function observeAndPlan(account: GuestAccount): AccountPlan {
  return planAccount(account, {
    passwd: readFileSync("/etc/passwd", "utf8"),
    group: readFileSync("/etc/group", "utf8"),
    home: observeHome(`/home/${account.login}`),
  });
}

async function execute(
  account: GuestAccount,
  plan: Extract<AccountPlan, { outcome: "accepted" }>,
  shell: string,
): Promise<void> {
  const lines = accountLines({ ...account, home: plan.home, shell });
  if (plan.needsGroup) {
    addLine("/etc/gshadow", lines.gshadow);
    addLine("/etc/group", lines.group);
  }
  if (plan.needsUser) {
    addLine("/etc/shadow", lines.shadow);
    // Last: with this line the account is there, and whole.
    addLine("/etc/passwd", lines.passwd);
  }
  if (plan.needsHome) await makeHome(account.uid, plan);
}

/** Nothing where the image doesn't have the file, as one without shadow passwords, or has the account in it. */
function addLine(path: string, line: string): void {
  if (!existsSync(path)) return;
  const text = readFileSync(path, "utf8");
  const name = line.slice(0, line.indexOf(":") + 1);
  if (text.startsWith(name) || text.includes(`\n${name}`)) return;
  // In one write: whoever reads the file meanwhile sees all of the line or nothing of it.
  appendFileSync(path, text === "" || text.endsWith("\n") ? `${line}\n` : `\n${line}\n`);
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

function fail(fault: GuestFault, text: string): Provisioned {
  return { isGood: false, fault, text };
}
