import { expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { parseDatabaseUrl, roleDatabase, rolePasswordFile } from "./url.ts";

const embedded = { databaseUrl: "", socketFolder: "/run/qvd/qvd/database", secretsFolder: "/nowhere" };

test("the embedded database is reached by its socket, as the role and without a password", async () => {
  expect(await roleDatabase(embedded, "qvd_broker")).toEqual({
    kind: "socket",
    folder: "/run/qvd/qvd/database",
    role: "qvd_broker",
    database: "qvd",
  });
});

test("an outside one by its address, with the role's own name and password", async () => {
  const secretsFolder = await mkdtemp(`${tmpdir()}/qvd-url-test-`);
  try {
    await writeFile(rolePasswordFile(secretsFolder, "qvd_node"), "p@ss/word\n");
    const place = {
      ...embedded,
      databaseUrl: "postgres://boss:secret@db.example:6432/qvd?sslmode=require",
      secretsFolder,
    };
    expect(await roleDatabase(place, "qvd_node")).toEqual({
      kind: "url",
      url: "postgres://qvd_node:p%40ss%2Fword@db.example:6432/qvd?sslmode=require",
    });
    expect(await roleDatabase(place, "qvd_owner")).toEqual({ kind: "url", url: place.databaseUrl });
    await expect(roleDatabase(place, "qvd_auth")).rejects.toThrow("run `qvd migrate`");
  } finally {
    await rm(secretsFolder, { recursive: true });
  }
});

test.each(["", "db.example", "mysql://a:topsecret@b/c", "postgres://host", "postgres://host/"])(
  "%p is refused, without repeating what may hold a password",
  (text) => {
    expect(() => parseDatabaseUrl(text)).toThrow("postgres://owner:password@host:5432/qvd");
    expect(() => parseDatabaseUrl(text)).not.toThrow("topsecret");
  },
);
