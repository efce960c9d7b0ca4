import type { LoginName } from "../login.ts";
import { CODE_DIGITS, STEP_SECONDS } from "./one-time-code.ts";

const ISSUER = "QVD";

/** What an authenticator app reads off a QR code. All of it is the apps' default, and said nevertheless. */
export function formatEnrolmentUri({ login, tenant }: LoginName, base32: string): string {
  const label = `${ISSUER}:${tenant === "*" ? login : `${login}@${tenant}`}`;
  const parameters = [
    `secret=${base32}`,
    `issuer=${ISSUER}`,
    "algorithm=SHA1",
    `digits=${CODE_DIGITS}`,
    `period=${STEP_SECONDS}`,
  ];
  return `otpauth://totp/${encodeURIComponent(label)}?${parameters.join("&")}`;
}
