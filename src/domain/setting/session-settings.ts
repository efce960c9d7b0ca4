/** What sessions are given where a client says nothing, and how long it is kept what happened. */

import { CLIENT_DEFAULTS } from "../session/client-defaults.ts";
import { normalizeClientParameter } from "../session/client-parameters.ts";
import type { SettingSpec } from "./spec.ts";

/** Empty says nothing; anything else must be what a client may say. */
function parameterFault(name: keyof typeof CLIENT_DEFAULTS, example: string) {
  return (value: string): string | undefined =>
    value === "" || normalizeClientParameter(CLIENT_DEFAULTS[name], value) !== undefined
      ? undefined
      : `must be empty, or such as ${example}`;
}

const kept = {
  group: "history",
  scope: "site",
  kind: "number",
  // The function `qvd_kept_days` in the database has the same bounds and default.
  default: 400,
  least: 7,
  most: 36_500,
  unit: "days",
} as const;

export const SESSION_SETTINGS = {
  "vma.default.client.keyboard": {
    group: "sessions",
    scope: "tenant",
    kind: "text",
    default: "",
    label: "Keyboard",
    doc: "Of clients that name none, such as pc105/es. Empty: pc105/us.",
    check: parameterFault("vma.default.client.keyboard", "pc105/es"),
  },
  "vma.default.client.link": {
    group: "sessions",
    scope: "tenant",
    kind: "text",
    default: "",
    label: "Line",
    doc: "Of clients that name none: modem, isdn, adsl, wan, lan or local. Empty: adsl.",
    check: parameterFault("vma.default.client.link", "lan"),
  },
  "vma.default.client.geometry": {
    group: "sessions",
    scope: "tenant",
    kind: "text",
    default: "",
    label: "Size of the screen",
    doc: "Of clients that name none, such as 1280x800. Empty: 1024x768.",
    check: parameterFault("vma.default.client.geometry", "1280x800"),
  },
  "vma.default.client.timezone": {
    group: "sessions",
    scope: "tenant",
    kind: "text",
    default: "",
    label: "Time zone",
    doc: "Of clients that name none, such as Europe/Madrid. Empty: the image's own.",
    check: parameterFault("vma.default.client.timezone", "Europe/Madrid"),
  },
  "vma.default.client.browser.server": {
    group: "sessions",
    scope: "tenant",
    kind: "text",
    default: "",
    label: "Sessions that browsers begin",
    doc: "On which X server: vnc or nx. The latter suits people who mostly go on with an NX client. Empty: vnc, where the image has it.",
    check: parameterFault("vma.default.client.browser.server", "nx"),
  },
  "vma.x11vnc.confirm.enabled": {
    group: "sessions",
    scope: "tenant",
    kind: "switch",
    default: true,
    label: "Ask before somebody watches",
    doc: "Whether the person at a session in the browser is asked before an administrator sees it. They are shown who watches in any case.",
  },
  "history.sessions.days": {
    ...kept,
    label: "Keep sessions that are over for",
    doc: "Who was connected from where, and why it ended. Older ones are deleted for good.",
  },
  "history.trail.days": {
    ...kept,
    label: "Keep the trails of desktops for",
    doc: "Every step, refusal and failure of a desktop. Older ones are deleted for good.",
  },
  "history.audit.days": {
    ...kept,
    label: "Keep the audit log for",
    doc: "Who asked for what. Older rows are deleted for good.",
  },
} as const satisfies Record<string, SettingSpec>;
