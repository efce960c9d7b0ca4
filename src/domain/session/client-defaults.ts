import type { GivenParameters } from "./client-parameters.ts";

/** The site's settings for clients that say nothing, and the parameter that each stands for. Two are QVD 4's names. */
export const CLIENT_DEFAULTS = {
  "vma.default.client.keyboard": "qvd.client.keyboard",
  "vma.default.client.link": "qvd.client.link",
  "vma.default.client.geometry": "qvd.client.geometry",
  "vma.default.client.timezone": "qvd.client.timezone",
  "vma.default.client.browser.server": "qvd.client.browser.server",
} as const;

export const CLIENT_DEFAULT_NAMES = Object.keys(CLIENT_DEFAULTS) as (keyof typeof CLIENT_DEFAULTS)[];

/** Of settings as they are kept, the more particular ones last. An empty one says nothing. */
export function clientDefaults(
  rows: readonly { readonly name: string; readonly value: unknown }[],
): GivenParameters {
  const values = new Map(rows.map(({ name, value }) => [name, value]));
  return Object.fromEntries(
    CLIENT_DEFAULT_NAMES.flatMap((name) => {
      const value = values.get(name);
      return typeof value === "string" && value !== "" ? [[CLIENT_DEFAULTS[name], value] as const] : [];
    }),
  );
}
