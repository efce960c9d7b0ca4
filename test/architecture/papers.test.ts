/** What is written down agrees with the tree, and no tracked file tells of the machine that it was written on. */

import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { BROKER_LIMITS } from "../../src/broker/limits.ts";
import { SETTINGS } from "../../src/config/settings.ts";
import { CHANNEL_LIMITS } from "../../src/node/guest-channel/limits.ts";
import { HEAD_LIMITS } from "../../src/wire/client/limits.ts";
import { expectNone } from "./expect-none.ts";
import { listFiles } from "./tree.ts";

const ROOT = join(import.meta.dir, "../..");

describe("papers", () => {
  const manifest: { dependencies: Record<string, string>; devDependencies: Record<string, string> } =
    JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  const decisions = listFiles(ROOT, "docs/decisions").map((path) => readFileSync(join(ROOT, path), "utf8"));

  test("have a decision for each dependency", () => {
    const names = [...Object.keys(manifest.dependencies), ...Object.keys(manifest.devDependencies)];
    const breaches = names
      .filter((name) => !decisions.some((text) => text.includes(`\`${name}\``)))
      .map((name) => `${name} has no page in docs/decisions: each dependency is justified`);
    expectNone(breaches);
  });

  test("pin each dependency to one version", () => {
    const versions = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies });
    expectNone(
      versions
        .filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))
        .map(([name]) => `${name} is not pinned`),
    );
  });

  test("name no source of packages in the lock file", () => {
    // A mirror's addresses would make everybody else's install ask that mirror.
    expect(readFileSync(join(ROOT, "bun.lock"), "utf8")).not.toContain("://");
  });

  test("tell every setting and its default", () => {
    const page = readFileSync(join(ROOT, "docs/operations/settings.md"), "utf8");
    const breaches = Object.values(SETTINGS)
      .filter(
        ({ name, fallback }) =>
          !page.includes(`| \`${name}\` | ${fallback === "" ? "empty" : `\`${fallback}\``}`),
      )
      .map(({ name }) => `docs/operations/settings.md lacks ${name} or tells another default`);
    expectNone(breaches);
  });

  test("tell the limits that are in force", () => {
    const rows: readonly (readonly [page: string, row: string, value: string])[] = [
      ["protocol", "finish its TLS handshake", `${BROKER_LIMITS.handshakeMs / 1000} s`],
      ["protocol", "finish the head", `${BROKER_LIMITS.headMs / 1000} s`],
      ["protocol", "proved nobody", `${BROKER_LIMITS.strangerIdleMs / 1000} s`],
      ["protocol", "proved who it is", `${BROKER_LIMITS.idleMs / 60_000} min`],
      ["protocol", "one too many", `${BROKER_LIMITS.connections / 1000},000 a worker`],
      [
        "protocol",
        "in a header line",
        `${HEAD_LIMITS.headerCount} header lines, ${HEAD_LIMITS.headBytes / 1024} KiB`,
      ],
      ["protocol", "in the request line", `${HEAD_LIMITS.lineBytes / 1024} KiB`],
      ["protocol", "sent ahead", `${HEAD_LIMITS.waitingBytes / 1024} KiB`],
      [
        "guest-channel",
        "lines a second",
        `${CHANNEL_LIMITS.lines.perSecond} lines a second, ${CHANNEL_LIMITS.lines.burst} at once`,
      ],
      ["guest-channel", "lines of garbage", `${CHANNEL_LIMITS.mostGarbage} lines`],
      ["guest-channel", "connections at once", `${CHANNEL_LIMITS.mostConnections} connections`],
      ["guest-channel", "be silent", `${CHANNEL_LIMITS.silenceMs / 1000} s`],
      ["operations/running", "takes no new connection", `${BROKER_LIMITS.drainMs / 3_600_000} h`],
    ];
    const breaches = rows
      .filter(([page, row, value]) => {
        const lines = readFileSync(join(ROOT, `docs/${page}.md`), "utf8").split("\n");
        return !lines.some((line) => line.includes(row) && line.includes(value));
      })
      .map(([page, row, value]) => `docs/${page}.md has no line with "${row}" and "${value}"`);
    expectNone(breaches);
  });

  test("link to files that are there", () => {
    const pages = [...listFiles(ROOT, "docs"), "README.md"].filter((path) => path.endsWith(".md"));
    const breaches = pages.flatMap((path) => {
      const text = readFileSync(join(ROOT, path), "utf8");
      return [...text.matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)[^)]*\)/g)]
        .map((match) => join(dirname(path), match[1] ?? ""))
        .filter((target) => !existsSync(join(ROOT, target)))
        .map((target) => `${path} links to ${target}, which isn't there`);
    });
    expectNone(breaches);
  });

  test("of the tree's map name folders that are there", () => {
    const text = readFileSync(join(ROOT, "docs/architecture.md"), "utf8");
    const named = [...text.matchAll(/`((?:src|test|docs|bench|script|migrations)\/[\w./-]*)`/g)].map(
      (match) => match[1] ?? "",
    );
    expectNone([...new Set(named)].filter((path) => !existsSync(join(ROOT, path))));
  });
});

describe("tracked files", () => {
  // Of whomever the tree is: git lists nothing of another account's by itself, and there would be nothing to look at.
  const tracked = Bun.spawnSync(["git", "-c", "safe.directory=*", "ls-files", "-z"], { cwd: ROOT })
    .stdout.toString()
    .split("\0")
    .filter(Boolean);
  const texts = tracked
    .filter(
      (path) =>
        /\.(tsx?|json|sql|md|sh|py|css|js|toml|yml|conf|patch)$|^[^.]*$/.test(path) &&
        existsSync(join(ROOT, path)),
    )
    .filter((path) => !/vendor\//.test(path))
    .map((path) => ({ path, text: readFileSync(join(ROOT, path), "utf8") }));

  test("are found", () => {
    expect(texts.length).toBeGreaterThan(1_000);
  });

  test("name no place of one machine", () => {
    const places = /\/(?:[w]ork|[f]arm)\/|\.\.\/[s]hared|\/[t]mp\/bash_jobs/;
    const breaches = texts
      .filter(({ text }) => places.test(text))
      .map(({ path, text }) => `${path}: ${places.exec(text)?.[0]}`);
    expectNone(breaches);
  });

  test("name no source of packages", () => {
    const hosts = /https?:\/\/[a-z0-9.-]*(?:registry|npmjs|artifactory|nexus|mirror)[a-z0-9./-]*/;
    const breaches = texts
      .filter(({ text }) => hosts.test(text))
      .map(({ path, text }) => `${path}: ${hosts.exec(text)?.[0]}`);
    expectNone(breaches);
  });

  test("promise nothing for later", () => {
    const words = new RegExp(`\\b(?:${["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"].join("|")})\\b`);
    const breaches = texts
      .filter(({ path }) => /\.(tsx?|sql|sh|css)$|^script\//.test(path))
      .filter(({ text }) => words.test(text))
      .map(({ path, text }) => `${path}: ${words.exec(text)?.[0]}`);
    expectNone(breaches);
  });
});
