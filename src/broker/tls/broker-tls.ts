/** What the QVD port shows of itself, and what it asks of clients, in TLS. PEM texts, as `read-tls.ts` checks them. */

import type { X509Certificate } from "node:crypto";
import { isOfSite } from "../relay/box-proof.ts";
import type { OwnedSocket } from "../socket.ts";

export type BrokerTls = {
  readonly tlsKey: string;
  /** With its chain, where it has one. */
  readonly tlsCertificate: string;
  /** Undefined: clients aren't asked for a certificate. */
  readonly clients?: ClientCertificates | undefined;
};

export type ClientCertificates = {
  /** Without one nobody comes in; else whoever shows one must show a good one. */
  readonly isRequired: boolean;
  /** Whose certificates are good. */
  readonly authorities: string;
  /**
   * Lists of what was revoked, one text each: Bun reads no more than one of a text. Empty: nothing is. Otherwise
   * each authority up to the root must have one that hasn't lapsed, or none of its certificates is good.
   */
  readonly revoked: readonly string[];
  /** When the first of these lists lapses, in milliseconds since 1970. */
  readonly revokedEndsAtMs?: number | undefined;
  /** The site's own: its boxes come in for what they relay, and prove it again (see box-proof.ts). */
  readonly siteAuthority?: string | undefined;
};

/** TLS 1.2 and 1.3, with BoringSSL's own choice of ciphers. */
export function tlsOptions({ tlsKey, tlsCertificate, clients }: BrokerTls): Bun.TLSOptions {
  const own = { key: tlsKey, cert: tlsCertificate };
  if (clients === undefined) return own;
  const { authorities, revoked } = clients;
  // Not rejected by Bun, which would send whoever has none the alert that says so, but the site's boxes away too.
  const asked = { ...own, ca: authorities, requestCert: true, rejectUnauthorized: false };
  return revoked.length === 0 ? asked : { ...asked, crl: [...revoked] };
}

/** Asked after the handshake, before the first byte is read; a connection that isn't admitted just ends. */
export function isAdmitted(socket: OwnedSocket, { clients }: BrokerTls): boolean {
  if (clients === undefined) return true;
  const certificate = socket.getPeerX509Certificate();
  // Somebody who goes on with a TLS session of before isn't verified again, whatever has lapsed since.
  if (socket.authorized) return !socket.isSessionReused() || isStillGood(certificate, clients);
  if (certificate === undefined) return !clients.isRequired;
  return clients.siteAuthority !== undefined && isOfSite(certificate, clients.siteAuthority);
}

/** Replaced files need no look: with them came a new context, which takes no session of the one before. */
function isStillGood(
  certificate: X509Certificate | undefined,
  { revokedEndsAtMs = Number.POSITIVE_INFINITY }: ClientCertificates,
): boolean {
  const nowMs = Date.now();
  return certificate !== undefined && nowMs < Date.parse(certificate.validTo) && nowMs < revokedEndsAtMs;
}
