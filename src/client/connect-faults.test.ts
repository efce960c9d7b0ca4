import { expect, test } from "bun:test";
import { explainConnectFault, explainDistrust } from "./connect-faults.ts";

const PLACE = { host: "desk.example.org", port: 8444 };

test.each([
  ["getaddrinfo ENOTFOUND desk.example.org", "no address is known for desk.example.org"],
  ["connect ECONNREFUSED 192.0.2.1:8444", "nobody listens on port 8444"],
  ["error:100000f7:SSL routines:OPENSSL_internal:WRONG_VERSION_NUMBER", "isn't encrypted"],
  ["connect EHOSTUNREACH 192.0.2.1:8444", "there is no way there"],
  ["something else", "something else. Check host, port and network"],
])("%s means that %s", (said, words) => {
  expect(explainConnectFault(said, PLACE)).toContain(words);
});

test.each([
  ["CERT_HAS_EXPIRED", "it has expired"],
  ["DEPTH_ZERO_SELF_SIGNED_CERT", "nobody but itself"],
  ["ERR_TLS_CERT_ALTNAME_INVALID", "for another name"],
  ["ODD_FAULT", "ODD_FAULT"],
])("a certificate with %s is one that %s", (code, words) => {
  expect(explainDistrust(code, "desk")).toMatch(/^nobody vouches for the certificate of desk: /);
  expect(explainDistrust(code, "desk")).toContain(words);
});
