/**
 * Reads the hooks out of an image's `vma.conf`, in the syntax of QVD 4: Java-style properties. Its other keys
 * are not for us and are passed over. Pure.
 */

import { GUEST_HOOKS, type GuestHook } from "../../wire/guest/messages.ts";

/** What QVD 4 called them there. */
export function confKeyOf(hook: GuestHook): string {
  switch (hook) {
    case "connected":
    case "suspended":
    case "disconnected":
      return `vma.on_state.${hook}`;
    case "mount_home":
    case "add_user":
    case "after_add_user":
      return `vma.on_provisioning.${hook}`;
    default:
      return `vma.on_action.${hook}`;
  }
}

/** The program of each hook that is named there; an empty value is none. */
export function parseVmaConf(text: string): ReadonlyMap<GuestHook, string> {
  const values = new Map<string, string>();
  // A backslash at the end of a line joins it with the next, without that one's indent.
  for (const line of text.replace(/\\\r?\n[ \t]*/g, "").split(/\r?\n/)) {
    if (/^\s*([#!]|$)/.test(line)) continue;
    const [, key = "", value = ""] = /^\s*([^\s:=]+)\s*[:=]?\s*(.*?)\s*$/.exec(line) ?? [];
    values.set(key, value);
  }
  return new Map(
    GUEST_HOOKS.flatMap((hook) => {
      const program = values.get(confKeyOf(hook)) ?? "";
      return program === "" ? [] : [[hook, program] as const];
    }),
  );
}
