/**
 * What a directory means when it refuses a bind, for administrators. Active Directory says "invalid credentials" of everything,
 * and why in a Windows error code in its text (`… AcceptSecurityContext error, data 52e, v…`). Never for whoever signs in: it
 * would tell strangers which accounts there are.
 */

const REASONS: Readonly<Record<string, string>> = {
  "525": "there is no such account",
  "52e": "the password is wrong",
  "52f": "the account may not sign in with this password, such as an empty one",
  "530": "the account may not sign in at this time",
  "531": "the account may not sign in at this computer",
  "532": "the password has expired; it is to be changed in the domain",
  "533": "the account is disabled",
  "568": "the account is in too many groups",
  "701": "the account has expired",
  "773": "the password must be changed at the next sign-in, which is done in the domain",
  "775": "the account is locked after too many wrong passwords",
};

/** `text` as the directory said it, after the reason where it has one that we know. */
export function explainRefusal(text: string): string {
  if (text === "") return "the directory gave no reason";
  const code = /\bdata ([0-9a-f]{3,8})\b/i.exec(text)?.[1]?.toLowerCase();
  const reason = code === undefined ? undefined : REASONS[code];
  return reason === undefined ? text : `${reason} (${text})`;
}
