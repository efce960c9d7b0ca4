/**
 * Whether the certificate that a broker shows is to be believed. One that an authority vouches for is; any other
 * is pinned when a person has looked at it once, and from then on it must be the same. Pure.
 */

export type ShownCertificate = {
  /** SHA-256 of the certificate, in hexadecimal with colons, as `openssl x509 -fingerprint -sha256` prints it. */
  readonly fingerprint: string;
  /** Why no authority vouches for it; undefined when one does, for this very host. */
  readonly distrust: string | undefined;
};

export type TrustDecision =
  | { readonly kind: "trusted" }
  /** Nobody vouches, and it is the first time: a person decides. */
  | { readonly kind: "ask"; readonly why: string }
  /** It is another than the one that was pinned, and nobody vouches for it. */
  | { readonly kind: "changed"; readonly pinned: string };

export function decideTrust(shown: ShownCertificate, pinned: string | undefined): TrustDecision {
  if (shown.distrust === undefined) return { kind: "trusted" };
  if (pinned === undefined) return { kind: "ask", why: shown.distrust };
  return normalize(pinned) === normalize(shown.fingerprint)
    ? { kind: "trusted" }
    : { kind: "changed", pinned };
}

/** Whether a fingerprint that a person gives is the one shown; case and colons don't count. */
export function isFingerprint(given: string, shown: string): boolean {
  return normalize(given) === normalize(shown);
}

function normalize(fingerprint: string): string {
  return fingerprint.replaceAll(":", "").trim().toLowerCase();
}
