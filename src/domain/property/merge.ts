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

/** OSF, image, user, desktop: later wins. */
export function mergeProperties(of: {
  readonly osf: Properties;
  readonly image: Properties;
  readonly user: Properties;
  readonly vm: Properties;
}): Properties {
  return { ...of.osf, ...of.image, ...of.user, ...of.vm };
}
