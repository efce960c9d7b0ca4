/** Commands about settings and sign-ins against the real API over TLS. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { typeAs } from "../support/type-command.ts";
import { startWat, type Wat } from "../system/wat-support.ts";

let wat: Wat;
let home: string;

beforeAll(async () => {
  wat = await startWat({ isEmpty: true });
  home = await mkdtemp(`${tmpdir()}/qvd-cli-`);
}, 60_000);

afterAll(async () => {
  await wat.stop();
  await rm(home, { recursive: true, force: true });
});

const type = (name: string, ...words: readonly string[]) => typeAs(() => wat, "admin", home)(name, ...words);

describe("settings", () => {
  test("are set, shown, listed and forgotten, of the site and of a tenant", async () => {
    expect(await type("config get", "l7r.auth.plugins")).toMatchObject({ out: "\n", code: 0 });
    expect((await type("config set", "l7r.auth.plugins", "auto,ldap")).err).toBe("set l7r.auth.plugins\n");
    const ofAcme = ["--tenant", "acme"];
    expect((await type("config set", "l7r.auth.plugins", "ldap", ...ofAcme)).err).toContain("of acme");
    expect((await type("config get", "l7r.auth.plugins")).out).toBe("auto, ldap\n");
    expect((await type("config get", "l7r.auth.plugins", ...ofAcme)).out).toBe("ldap\n");
    const listed = await type("config list", "--changed", ...ofAcme);
    expect(listed.out).toMatch(/^NAME +VALUE +FROM\nl7r\.auth\.plugins +ldap +tenant\n$/);
    expect(JSON.parse((await type("config get", "l7r.auth.plugins", "--json")).out)).toMatchObject({
      ...{ name: "l7r.auth.plugins", kind: "words", scope: "tenant", source: "site" },
    });
    expect((await type("config unset", "l7r.auth.plugins", ...ofAcme)).code).toBe(0);
    expect((await type("config get", "l7r.auth.plugins", ...ofAcme)).out).toBe("auto, ldap\n");
  });

  test("are known by the other name that QVD 4 had for one, and kept by ours", async () => {
    const [other, ours] = ["auth.ldap.normalize.name", "auth.ldap.name.normalize"];
    expect((await type("config set", other, "1")).err).toBe(`set ${ours}\n`);
    for (const name of [other, ours]) expect((await type("config get", name)).out).toBe("on\n");
    expect((await type("config list", "--changed")).out).toMatch(/auth\.ldap\.name\.normalize +on +site/);
    expect((await type("config unset", other)).code).toBe(0);
    expect((await type("config get", ours)).out).toBe("off\n");
    for (const command of ["config get", "config unset"])
      expect((await type(command, "auth.ldap.normalise")).err).toContain("there is no setting");
  });

  test("of several lines come from a file, and are one line in the list", async () => {
    const file = `${home}/policy`;
    await writeFile(file, "allow user=ann\ndeny\n");
    expect((await type("config set", "auth.policy", "--file", file)).code).toBe(0);
    expect((await type("config get", "auth.policy")).out).toBe("allow user=ann\ndeny\n");
    expect((await type("config list")).out).toMatch(/auth\.policy +allow user=ann … \(2 lines\) +site/);
  });

  test("that are secret stay off the command line, and are shown to nobody", async () => {
    const refused = await type("config set", "auth.ldap.bindpass", "hunter2");
    expect(refused.err).toContain("leave it off the command line");
    const file = `${home}/secret`;
    await writeFile(file, "hunter2\n");
    expect((await type("config set", "auth.ldap.bindpass", "--file", file)).code).toBe(0);
    expect(await type("config get", "auth.ldap.bindpass")).toMatchObject({
      out: "",
      err: "auth.ldap.bindpass is set; it is not shown to anybody\n",
    });
    expect((await type("config list")).out).toMatch(/auth\.ldap\.bindpass +\(set, not shown\)/);
  });

  test("that can't be are refused with the reason", async () => {
    expect((await type("config set", "no.such", "x")).err).toContain("qvd config list");
    expect((await type("config get", "no.such")).err).toContain("there is no setting no.such");
    expect((await type("config set", "auth.ldap.scope", "tree")).err).toContain("one of base, one, sub");
    expect((await type("config set", "auth.ldap.scope")).err).toContain("VALUE is missing");
    expect((await type("config set", "auth.ldap.scope", "sub", "--tenant", "nobody")).err).toContain(
      "nobody",
    );
    expect((await type("config set", "auth.policy", "--file", `${home}/none`)).err).toContain("can't read");
  });
});

describe("sign-ins", () => {
  test("that are slowed down are listed and forgotten", async () => {
    const listed = (await type("auth slowed")).out;
    expect(listed).toMatch(/ann@default +192\.0\.2\.17 +12 +in 8 s +a1/);
    expect(listed).toMatch(/\(anybody\) +2001:db8:0:1::\/64/);
    expect(listed).toMatch(/carla@default +\(wrong codes\) +6 +in 29 s +e5/);
    expect(await type("auth forget", "a1")).toMatchObject({ err: "forgotten\n", code: 0 });
    expect((await type("auth forget", "a1")).err).toContain("Nobody of this id");
    expect(JSON.parse((await type("auth slowed", "--json")).out).slowed.length).toBe(4);
  });

  test("a directory is tried, and the exit code tells whether one is well", async () => {
    const tried = await type("auth test-directory", "ann", "--tenant", "acme");
    expect(tried.out).toBe(
      "ldaps://dc1.example.org\n  ok     Connect: It answers, encrypted from the start.\n  FAILED Find ann: No entry below dc=example matches.\n",
    );
    expect(tried.code).toBe(1);
  });
});
