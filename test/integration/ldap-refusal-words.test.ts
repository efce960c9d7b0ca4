/** Refusals that a site takes for success by the directory's words (RACF): its own words alone, and never its silence. */

import { describe, expect, test } from "bun:test";
import { DIRECTORY_BASE, DIRECTORY_PASSWORD } from "../support/directory-server.ts";
import { askDirectoryOf, patternSettings, searchSettings, type Values } from "../support/ldap-asker.ts";
import { listenPlain, portOf } from "../support/listen-plain.ts";
import { useDirectory } from "../support/use-directory.ts";

const directory = useDirectory();

const EXPIRED = "R000102 The password has expired";
const allow = (expression: string) => ({ "auth.ldap.racf_allowregex": expression });

describe("a refusal without a word is a refusal, whatever the expression", () => {
  for (const expression of [".", ".*", "", "^$", "0x31", "Code", "(?:)", "[^]*", "nvalid credentials"])
    test(`/${expression}/ against OpenLDAP, which says nothing of a wrong password`, async () => {
      for (const settings of [searchSettings(directory()), patternSettings(directory())]) {
        const values = { ...settings, ...allow(expression) };
        expect(await askDirectoryOf(values, "ann", `not ${DIRECTORY_PASSWORD}`)).toEqual({
          outcome: "denied",
        });
        expect(await askDirectoryOf(values)).toMatchObject({ outcome: "proved" });
      }
    });
});

describe("a refusal with words", () => {
  const fitting = ["expired", "^R000102 ", "expired$", `^${EXPIRED}$`];
  for (const expression of fitting)
    test(`counts as success where /${expression}/ fits them, and the desktop is told them as they are`, async () => {
      expect(await refusedWith({ code: 49, text: EXPIRED }, allow(expression))).toMatchObject({
        outcome: "proved",
        parameters: { "qvd.auth.ldap.racf_detailed_error": EXPIRED },
      });
    });

  for (const expression of ["", "revoked", "0x31", "Code", "expired.", "^$"])
    test(`doesn't where /${expression}/ doesn't fit them`, async () =>
      expect(await refusedWith({ code: 49, text: EXPIRED }, allow(expression))).toEqual({
        outcome: "denied",
      }));

  test("doesn't where the directory refused for anything but the password", async () => {
    for (const code of [50, 53])
      expect(await refusedWith({ code, text: EXPIRED }, allow("expired"))).toEqual({ outcome: "denied" });
  });
});

/** What comes of a bind as ann that is answered so. */
async function refusedWith(answer: { readonly code: number; readonly text: string }, more: Values) {
  const played = await listenPlain((socket) => {
    socket.on("error", () => {});
    socket.on("data", (request: Buffer) => {
      // A bind; anything else is the end of the connection.
      if (request[5] === 0x60) socket.write(renderBindAnswer(request[4] ?? 0, answer));
    });
  });
  try {
    return await askDirectoryOf({
      "auth.ldap.host": [`127.0.0.1:${portOf(played)}`],
      "auth.ldap.starttls": false,
      "auth.ldap.plaintext": true,
      "auth.ldap.userbindpattern": `uid=%u,ou=people,${DIRECTORY_BASE}`,
      "auth.ldap.timeout": 5,
      ...more,
    });
  } finally {
    played.close();
  }
}

/** RFC 4511 §4.2.2, with lengths of one byte. */
function renderBindAnswer(id: number, { code, text }: { readonly code: number; readonly text: string }) {
  const result = [0x0a, 1, code, 0x04, 0, 0x04, text.length, ...Buffer.from(text)];
  const message = [0x02, 1, id, 0x61, result.length, ...result];
  return Buffer.from([0x30, message.length, ...message]);
}
