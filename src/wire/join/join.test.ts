import { describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { type Bundle, openBundle, sealBundle } from "./bundle.ts";
import { formatJoinCode, type JoinCode, parseJoinCode } from "./join-code.ts";

const CODE: JoinCode = {
  address: "box1.example:9443",
  fingerprint: "ab".repeat(32),
  id: "f00df00df00d",
  key: new Uint8Array(32).fill(7),
};
const BUNDLE: Bundle = {
  version: 1,
  nodeName: "box2",
  databaseUrl: "postgres://owner:p@db.example/qvd",
  rolePasswords: { qvd_node: "x" },
  caCertificate: "ca",
  certificate: "crt",
  key: "key",
  settingsKey: "settings key",
  settings: { QVD_NETWORK_RANGE: "10.0.0.0/16" },
  sharedFolder: "",
};

describe("a join code", () => {
  test("says all again that was put into it", () => {
    const parsed = parseJoinCode(formatJoinCode(CODE));
    expect({ ...parsed, key: [...parsed.key] }).toEqual({ ...CODE, key: [...CODE.key] });
  });

  test("bears the line breaks of a terminal", () => {
    const text = formatJoinCode(CODE);
    expect(parseJoinCode(` ${text.slice(0, 80)}\n  ${text.slice(80)}\n`).id).toBe(CODE.id);
  });

  const whole = formatJoinCode(CODE);
  for (const text of ["", "qvd1-", "hello", whole.slice(0, -8), whole.slice(5), `qvd2-${whole.slice(5)}`])
    test(`is refused when it is ${text.slice(0, 12)}… of ${text.length} characters, and isn't repeated`, () => {
      expect(() => parseJoinCode(text)).toThrow("not a whole join code");
    });
});

describe("a bundle", () => {
  const key = randomBytes(32);
  const sealed = sealBundle(BUNDLE, key, randomBytes);

  test("opens with its key alone", () => {
    expect(openBundle(sealed, key)).toEqual(BUNDLE);
    expect(() => openBundle(sealed, randomBytes(32))).toThrow("can't be opened");
  });

  test("shows nothing of what is in it", () => {
    expect(Buffer.from(sealed).toString("latin1")).not.toContain("postgres");
  });

  test("doesn't open when a byte of it was changed, or some are missing", () => {
    for (const at of [0, 24, sealed.length - 1]) {
      const changed = Uint8Array.from(sealed);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(() => openBundle(changed, key)).toThrow("can't be opened");
    }
    for (const length of [0, 23, 40, sealed.length - 1])
      expect(() => openBundle(sealed.subarray(0, length), key)).toThrow("can't be opened");
  });

  test("of a coming version is refused with advice", () => {
    const later = sealBundle({ ...BUNDLE, version: 2 } as never, key, randomBytes);
    expect(() => openBundle(later, key)).toThrow("another version");
  });
});
