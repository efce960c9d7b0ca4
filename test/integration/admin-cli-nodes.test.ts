/** Commands about nodes and properties against the real API over TLS. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { adminCommands } from "../../src/cli/admin-commands.ts";
import { parseCommandArgs } from "../../src/cli/parse-args.ts";
import { describeError } from "../../src/lib/errors.ts";
import { PASSWORD } from "../support/wat-site.ts";
import { startWat, type Wat } from "../system/wat-support.ts";

let wat: Wat;
let home: string;

beforeAll(async () => {
  wat = await startWat();
  home = await mkdtemp(`${tmpdir()}/qvd-cli-`);
}, 30_000);

afterAll(async () => {
  await wat.stop();
  await rm(home, { recursive: true, force: true });
});

/** What was printed and said, after `name` was typed with `words`. */
async function type(name: string, ...words: readonly string[]): Promise<string> {
  const command = await adminCommands.find((entry) => entry.name === name)?.load();
  if (command === undefined) throw new Error(`there is no command ${name}`);
  let said = "";
  const say = (text: string) => {
    said += text;
  };
  const env = {
    HOME: home,
    QVD_API_URL: wat.url,
    QVD_API_CA: wat.caFile,
    QVD_LOGIN: "admin",
    QVD_PASSWORD: PASSWORD,
  };
  const io = { out: say, err: say, env, isTerminal: false, signal: new AbortController().signal };
  try {
    await command.run(io, parseCommandArgs(command, words));
  } catch (error) {
    say(describeError(error));
  }
  return said;
}

describe("commands about nodes", () => {
  test("list, block, drain and weigh them", async () => {
    expect(await type("node list")).toMatch(/1 +node-a +running +\d+ +\d+ +own disk +1/);
    expect(await type("node block", "node-a")).toBe("blocked node-a\n");
    expect(await type("node list")).toContain("running, blocked");
    expect(await type("node unblock", "1")).toBe("unblocked node-a\n");
    expect(await type("node drain", "node-a", "--dry-run")).toMatch(
      /^would drain node-a: no desktop leaves\n8 can't leave: their homes lie on its own disk\n/,
    );
    expect(await type("node drain", "node-a", "--dry-run", "--move")).toContain(
      "no other takes its desktops: there is none",
    );
    expect(await type("node list")).not.toContain("draining");
    expect(await type("node drain", "node-a", "--move")).toContain("no other takes its desktops");
    expect(await type("node drain", "node-a", "--move", "--finish")).toContain("not both");
    expect(await type("node drain", "node-a")).toMatch(/^draining node-a: no desktop leaves\n8 can't leave/);
    expect(await type("node list")).toContain("running, draining (finish)");
    expect(await type("node undrain", "node-a")).toBe("ended the drain of node-a\n");
    expect(await type("node change", "node-a", "--weight", "0.5")).toBe("changed node-a\n");
    expect(JSON.parse(await type("node list", "--json"))).toMatchObject([{ name: "node-a", weight: 0.5 }]);
  });

  test("end a desktop that a node tells of though the site doesn't place it there", async () => {
    expect(await type("node end-stranger", "node-a", "4711")).toContain("tells of no desktop 4711");
    const owner = wat.database.open("qvd_owner").sql;
    await owner`update node_reports set facts = facts || '{"strangers": [4711]}'`;
    expect(await type("node end-stranger", "node-a", "4711", "--dry-run")).toBe(
      "would end desktop 4711 on node-a; its home stays\n",
    );
    expect(await type("node end-stranger", "node-a", "4711")).toBe(
      "ending desktop 4711 on node-a; its home stays\n",
    );
    expect(await type("node end-stranger", "node-a", "ann-desk")).toContain(
      "DESKTOP is the desktop's number",
    );
    await owner`update node_reports set facts = facts - 'strangers'`;
  });

  test("don't remove one that may run desktops, nor one that isn't there", async () => {
    expect(await type("node remove", "node-a", "--gone", "--dry-run")).toContain(
      "it holds the right to run desktops",
    );
    expect(await type("node remove", "nowhere")).toContain("there is no node named nowhere");
  });
});

describe("commands about properties", () => {
  test("set several at once, list them, merged too, and remove them", async () => {
    expect(await type("property list", "user", "ann")).toBe("nothing to list\n");
    expect(await type("property set", "user", "ann", "printer=lp-2nd-floor", "note=a = b")).toBe(
      "set printer\nset note\n",
    );
    expect(await type("property list", "user", "ann")).toMatch(
      /NAME +VALUE\nnote +a = b\nprinter +lp-2nd-floor\n/,
    );
    expect(await type("property set", "osf", "office", "printer=of-the-osf", "site=berlin")).toContain(
      "set site",
    );
    const merged = JSON.parse(await type("property list", "vm", "1", "--merged", "--json"));
    expect(merged).toMatchObject({ site: "berlin" });
    expect(await type("property unset", "user", "ann", "printer", "note")).toBe(
      "removed printer\nremoved note\n",
    );
    expect(await type("property unset", "user", "ann", "printer")).toContain("has no property printer");
  });

  test("say what is wrong with what was typed", async () => {
    expect(await type("property set", "dragon", "ann", "a=b")).toContain(
      "KIND must be one of user, vm, node, osf, image",
    );
    expect(await type("property set", "user", "ann", "printer")).toContain('"printer" is not KEY=VALUE');
    expect(await type("property set", "user", "ann", "a b=c")).toContain("must be 1 to 128");
    expect(await type("property set", "user", "ann")).toContain("KEY=VALUE… is missing");
  });
});
