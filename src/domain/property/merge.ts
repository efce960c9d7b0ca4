/**
 * Properties: free names and values that mean nothing to us and something to the site's hooks. Those of a
 * desktop are merged of what it hangs on, the more particular over the more general, as QVD 4 did.
 */

/** Things that have properties. */
export const PROPERTY_KINDS = ["user", "vm", "node", "osf", "image"] as const;
export type PropertyKind = (typeof PROPERTY_KINDS)[number];

export type Properties = Readonly<Record<string, string>>;

export const MOST_PROPERTY_KEY = 128;
export const MOST_PROPERTY_VALUE = 4_096;
/** Of one thing. */
export const MOST_PROPERTIES = 100;
/**
 * Of one thing, keys and values together: those of four things, each quoted at worst, fit into one line of the
 * guest channel beside all else that it says.
 */
export const MOST_PROPERTY_BYTES = 6_144;

export const PROPERTY_KEY = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/** What begins so is given by us, and a property may not pass for it. */
const OURS = /^qvd\./;

export function isOurKey(key: string): boolean {
  return OURS.test(key);
}

/** What a desktop's properties come from; later wins. */
export const PROPERTY_SOURCES = ["osf", "image", "user", "vm"] as const;
export type PropertySource = (typeof PROPERTY_SOURCES)[number];

export type SourcedProperty = {
  readonly key: string;
  readonly value: string;
  readonly from: PropertySource;
};

/** One of each key, in the order of their first. */
export function mergeProperties(all: readonly SourcedProperty[]): readonly SourcedProperty[] {
  const rank = ({ from }: SourcedProperty) => PROPERTY_SOURCES.indexOf(from);
  const merged = new Map<string, SourcedProperty>();
  for (const property of all) {
    const known = merged.get(property.key);
    if (known === undefined || rank(property) > rank(known)) merged.set(property.key, property);
  }
  return [...merged.values()];
}
