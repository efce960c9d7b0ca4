import { describe, expect, test } from "bun:test";
import { escapeDn, escapeFilter, fillDn, fillFilter, firstRdnValue, widenFilter } from "./templates.ts";

describe("a login in a DN", () => {
  const cases: [login: string, dn: string][] = [
    ["ann", "uid=ann,dc=x"],
    ["a,b+c=d", "uid=a\\,b\\+c\\=d,dc=x"],
    [' "<>;\\', 'uid=\\ \\"\\<\\>\\;\\\\,dc=x'],
    ["#1", "uid=\\#1,dc=x"],
    ["ends ", "uid=ends\\ ,dc=x"],
    [" ", "uid=\\ ,dc=x"],
    ["josé", "uid=josé,dc=x"],
    ["$&$1", "uid=$&$1,dc=x"],
    ["nul\0", "uid=nul\\00,dc=x"],
  ];
  for (const [login, dn] of cases)
    test(JSON.stringify(login), () => expect(fillDn("uid=%u,dc=x", login)).toBe(dn));

  test("stands as it is in a name that is no DN", () => {
    expect(fillDn("%u@example.org", "a,b")).toBe("a,b@example.org");
    expect(fillDn("EXAMPLE\\%u", "ann")).toBe("EXAMPLE\\ann");
  });

  test("is read out of a DN again, whatever it was", () => {
    for (const login of ["ann", "a,b+c=d", ' "<>;\\', "#1", "josé", "two words", "\\5c"])
      expect(firstRdnValue(`cn=${escapeDn(login)},ou=x+y,dc=z`)).toBe(login);
    expect(firstRdnValue("CN=Jos\\c3\\a9 \\2c x,DC=z")).toBe("José , x");
    expect(firstRdnValue("cn=a+sn=b,dc=z")).toBe("a");
    expect(firstRdnValue("no dn")).toBe("no dn");
  });
});

describe("a login in a filter", () => {
  test("means nothing there", () => {
    const login = "*)(uid=*\\\0";
    expect(escapeFilter(login)).toBe("\\2a\\29\\28uid=\\2a\\5c\\00");
    expect(fillFilter("(&(uid=%u)(x=%u))", { login: "a*" })).toBe("(&(uid=a\\2a)(x=a\\2a))");
  });

  test("and a DN do not fill each other's places", () => {
    expect(fillFilter("(|(m=%d)(u=%u))", { login: "%d", dn: "cn=%u" })).toBe("(|(m=cn=%u)(u=%d))");
  });
});

describe("a filter for names of accounts", () => {
  const own = "(uid=%u)(sAMAccountName=%u)";
  const cases: [template: string, widened: string][] = [
    ["(employeeNumber=%u)", `(|(employeeNumber=%u)${own})`],
    ["(&(objectClass=person)(mail=%u@example.org))", `(&(objectClass=person)(|(mail=%u@example.org)${own}))`],
    ["(|(uid=%u)(mail=%u))", `(|(|(uid=%u)${own})(|(mail=%u)${own}))`],
    ["(objectClass=person)", "(objectClass=person)"],
  ];
  test.each(cases)("%s", (template, widened) => expect(widenFilter(template)).toBe(widened));
});
