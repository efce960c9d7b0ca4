import { settingValues } from "../domain/setting/resolve.ts";
import type { Clock } from "../lib/clock.ts";
import type { AccountStore } from "./account-store.ts";
import type { NameRules } from "./login.ts";

/** Each sign-in needs them before its tenant is known, and they hardly ever change. */
const KEEP_MS = 2_000;

/** Reads the site's settings about names, at most every two seconds; rejects when the database is away. */
export function createNameRules(
  store: Pick<AccountStore, "readSettings">,
  clock: Clock,
): () => Promise<NameRules> {
  let kept: { readonly rules: NameRules; readonly atMs: number } | undefined;
  return async () => {
    const nowMs = clock.monotonicMs();
    if (kept !== undefined && nowMs - kept.atMs < KEEP_MS) return kept.rules;
    const values = settingValues(await store.readSettings(undefined));
    const rules = {
      separators: values["l7r.auth.plugin.default.separators"],
      tenant: values["l7r.auth.plugin.default.tenant"],
    };
    kept = { rules, atMs: nowMs };
    return rules;
  };
}
