/**
 * How a broker proves to another that it is of the same site: with its box's certificate, from the site's own
 * authority, and a signature over what it asks for. Not by a client certificate in the handshake: the port is
 * that of stock clients and browsers, which would all be asked for one
 * (docs/decisions/0060-relay-between-brokers.md).
 *
 * The signed text names session, address and port, so a proof is good for nothing else; and what it opens is open
 * once, since a desktop's session takes one connection.
 */

import { createPrivateKey, createPublicKey, createSign, createVerify, X509Certificate } from "node:crypto";
import type { SessionId, VisitId } from "../../domain/ids.ts";

/** PEM texts: this box's certificate and key, and the site's authority. */
export type BoxIdentity = {
  readonly key: string;
  readonly certificate: string;
  readonly authority: string;
};

/** `address` is that of the broker which is asked, as its node registered it. */
export type RelayRequest = RelaySubject & {
  readonly address: string;
  /** To the X server's own port, instead of the one that the session was given out with. A broker of before takes that for no proof. */
  readonly isScreen?: boolean;
};

/** What is asked for: a session, or a visit at the console of a machine. */
export type RelaySubject = { readonly sessionId: SessionId } | { readonly visitId: VisitId };

export const CERTIFICATE_HEADER = "x-qvd-certificate";
export const SIGNATURE_HEADER = "x-qvd-signature";

export function formatProof(identity: BoxIdentity, request: RelayRequest): Readonly<Record<string, string>> {
  return signAsBox(identity, textOf(request));
}

/** The two headers by which this box stands for a text. */
export function signAsBox(identity: BoxIdentity, text: string): Readonly<Record<string, string>> {
  const signer = createSign("sha256").update(text);
  return {
    [CERTIFICATE_HEADER]: new X509Certificate(identity.certificate).raw.toString("base64"),
    [SIGNATURE_HEADER]: signer.sign(createPrivateKey(identity.key)).toString("base64"),
  };
}

/** The half of a proof that needs nothing but itself: undefined when a certificate of the site's is shown. */
export function findStrangerFault(
  authority: string,
  headers: ReadonlyMap<string, string>,
): string | undefined {
  const certificate = parseCertificate(headers.get(CERTIFICATE_HEADER));
  if (certificate === undefined) return "it shows no certificate";
  if (!isOfSite(certificate, authority))
    return "its certificate is not of the site's authority, or has lapsed";
  return undefined;
}

/** Undefined when it holds, else what is wrong, for our log. */
export function findProofFault(
  authority: string,
  request: RelayRequest,
  headers: ReadonlyMap<string, string>,
): string | undefined {
  return findSignatureFault(authority, textOf(request), headers);
}

/** The same of any text that a box of the site stands for. */
export function findSignatureFault(
  authority: string,
  text: string,
  headers: ReadonlyMap<string, string>,
): string | undefined {
  const stranger = findStrangerFault(authority, headers);
  const certificate = parseCertificate(headers.get(CERTIFICATE_HEADER));
  if (stranger !== undefined || certificate === undefined) return stranger;
  const signature = Buffer.from(headers.get(SIGNATURE_HEADER) ?? "", "base64");
  try {
    const isGood = createVerify("sha256").update(text).verify(certificate.publicKey, signature);
    return isGood ? undefined : "its signature is over something else";
  } catch {
    // A signature that isn't even one of that key's kind.
    return "its signature can't be read";
  }
}

/** Signed by the authority itself and valid now; the authority's own certificate is no box's. */
export function isOfSite(certificate: X509Certificate, authority: string): boolean {
  const nowMs = Date.now();
  const isValid =
    nowMs >= Date.parse(certificate.validFrom) && nowMs <= Date.parse(certificate.validTo) && !certificate.ca;
  return isValid && certificate.verify(createPublicKey(authority));
}

function parseCertificate(text: string | undefined): X509Certificate | undefined {
  try {
    return text === undefined ? undefined : new X509Certificate(Buffer.from(text, "base64"));
  } catch {
    // Whatever it is, it is no certificate.
    return undefined;
  }
}

function textOf(request: RelayRequest): string {
  const subject = "visitId" in request ? `visit ${request.visitId}` : request.sessionId;
  const port = request.isScreen === true ? "screen\n" : "";
  return `qvd-relay-1\n${subject}\n${request.address}\n${port}`;
}
