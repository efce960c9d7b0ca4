/** Why a connection can't be had or a certificate isn't believed, in words for whoever typed the address. Pure. */

/** `said` is the system's or the library's; a sentence's part. */
export function explainConnectFault(
  said: string,
  { host, port }: { readonly host: string; readonly port: number },
): string {
  if (/ENOTFOUND|EAI_AGAIN|getaddrinfo/.test(said))
    return `no address is known for ${host}. Check the name and the network`;
  if (/ECONNREFUSED/.test(said)) return `nobody listens on port ${port} there. Check host and port`;
  if (/EHOSTUNREACH|ENETUNREACH|ETIMEDOUT/.test(said)) return "there is no way there. Check host and network";
  if (/WRONG_VERSION_NUMBER|HTTP_REQUEST|wrong version/i.test(said))
    return `what answers there isn't encrypted, so it is no QVD broker. Check the port; brokers usually have 8443`;
  if (/ALERT_CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE|CERTIFICATE_REQUIRED/i.test(said))
    return `the broker refuses to talk (${said}); does it ask for certificates of clients, which qvd connect has none of?`;
  return `${said}. Check host, port and network`;
}

const DISTRUST: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: "it is vouched for by nobody but itself",
  SELF_SIGNED_CERT_IN_CHAIN: "its authority is none that this PC knows",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its authority is none that this PC knows",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "its authority is none that this PC knows",
  UNABLE_TO_GET_ISSUER_CERT: "its authority is none that this PC knows",
  CERT_HAS_EXPIRED: "it has expired, or this PC's clock is wrong",
  CERT_NOT_YET_VALID: "it is not valid yet, or this PC's clock is wrong",
  ERR_TLS_CERT_ALTNAME_INVALID: "it is for another name",
  HOSTNAME_MISMATCH: "it is for another name",
};

/** `code` is OpenSSL's, or the runtime's. */
export function explainDistrust(code: string, host: string): string {
  const known = Object.entries(DISTRUST).find(([name]) => code.includes(name))?.[1];
  return `nobody vouches for the certificate of ${host}: ${known ?? code}`;
}
