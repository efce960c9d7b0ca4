/** Gets what a join code stands for from the site, believing only the authority that the code names. */

import { X509Certificate } from "node:crypto";
import { AppError } from "../../lib/errors.ts";
import { type Bundle, openBundle } from "../../wire/join/bundle.ts";
import type { JoinCode } from "../../wire/join/join-code.ts";

const TIMEOUT_MS = 20_000;
const MOST_BYTES = 256 * 1024;

/** Uses the code up. Throws an AppError that says what to do when the site can't be reached, or isn't the code's. */
export async function fetchBundle(code: JoinCode): Promise<Bundle> {
  const authority = await fetchAuthority(code);
  const answer = await ask(code, "POST", `/join/${code.id}`, {
    ca: authority,
    // The name by which we call it needn't be one of its certificate; the authority is what counts.
    checkServerIdentity: () => undefined,
  });
  const body = new Uint8Array(await answer.arrayBuffer());
  if (answer.status !== 200) throw new AppError("conflict", `joining: ${readFault(body)}`);
  if (body.length > MOST_BYTES) throw new AppError("bad-input", "joining: the site's answer is too long");
  return openBundle(body, code.key);
}

async function fetchAuthority(code: JoinCode): Promise<string> {
  const answer = await ask(code, "GET", "/ca", { rejectUnauthorized: false });
  const text = (await answer.text()).slice(0, MOST_BYTES);
  const authority = answer.status === 200 ? readCertificate(text) : undefined;
  // Written anew: what came may hold further certificates, of whoever is in between.
  if (authority !== undefined && fingerprintOf(authority) === code.fingerprint) return authority.toString();
  throw new AppError(
    "bad-input",
    `joining: what answers at ${code.address} is not the site that the code is of; is the address right, and nobody in between?`,
  );
}

async function ask(
  code: JoinCode,
  method: string,
  path: string,
  tls: NonNullable<BunFetchRequestInit["tls"]>,
): Promise<Response> {
  try {
    return await fetch(`https://${code.address}/api/v1${path}`, {
      method,
      tls,
      redirect: "error",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch (cause) {
    throw new AppError(
      "unavailable",
      `joining: ${code.address} does not answer as the site's web admin tool; is it running, and does a firewall let this box through?`,
      { cause },
    );
  }
}

function fingerprintOf(certificate: X509Certificate): string {
  return certificate.fingerprint256.replaceAll(":", "").toLowerCase();
}

function readCertificate(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    // Whatever it is, it is not the authority's certificate.
    return undefined;
  }
}

function readFault(body: Uint8Array): string {
  const found = /"message":"((?:[^"\\]|\\.)*)"/.exec(new TextDecoder().decode(body))?.[1];
  return found ?? "the site refused, without a word that could be read";
}
