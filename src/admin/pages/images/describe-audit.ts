/** A line of an image's history in words. The detail was written by the verbs; what isn't as expected is left out. */

import type { AuditRow } from "../../../db/queries/audit.ts";

type Described = { readonly text: string; readonly detail: string | undefined };

const WORDS: Readonly<Record<string, string>> = {
  "image.enrol": "Added",
  "image.publish": "Published",
  "image.retire": "Retired",
  "image.block": "Blocked",
  "image.unblock": "Unblocked",
  "image.move-tag": "Tag put on",
  "image.remove-tag": "Tag removed",
  "image.set-property": "Property changed",
};

export function describeAudit(row: Pick<AuditRow, "action" | "detail">): Described {
  return { text: WORDS[row.action] ?? row.action, detail: describeDetail(row.detail) };
}

function describeDetail(detail: unknown): string | undefined {
  if (typeof detail !== "object" || detail === null) return undefined;
  const fields = new Map<string, unknown>(Object.entries(detail));
  const tags = fields.get("tags");
  if (Array.isArray(tags)) return tags.map(String).join(", ");
  const text = ["tag", "sourceUrl", "fileName", "key"].map((name) => fields.get(name)).find(isText);
  return isText(text) ? text : undefined;
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}
