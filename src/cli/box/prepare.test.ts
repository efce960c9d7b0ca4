import { describe, expect, test } from "bun:test";
import { dirname } from "node:path";
import { layoutOf } from "../../domain/node/layout.ts";
import { listFolders } from "./prepare.ts";
import { listAltNames } from "./tls.ts";

const layout = layoutOf("/state", "/run/x");
const folders = listFolders(layout, {
  db: { uid: 1, gid: 11 },
  auth: { uid: 2 },
  admin: { uid: 3, gid: 13 },
  broker: { uid: 13, gid: 14 },
  net: { uid: 5, gid: 15 },
  sharedGid: 20,
});
const find = (path: string) => folders.find((folder) => folder.path === path);

describe("a box's folders", () => {
  test("come after their parents", () => {
    for (const [index, { path }] of folders.entries()) {
      const parent = folders.findIndex((other) => other.path === dirname(path));
      expect(parent).toBeLessThan(index);
    }
  });

  test("are writable for nobody but their owner", () => {
    for (const { mode } of folders) expect(mode & 0o022).toBe(0);
  });

  test("let only root list the secrets, and only the database's account see its files", () => {
    expect(find(layout.secretsFolder)).toMatchObject({ mode: 0o711, uid: 0 });
    expect(find(layout.databaseFolder)).toMatchObject({ mode: 0o700, uid: 1 });
    expect(find(layout.basesFolder)).toMatchObject({ mode: 0o700, uid: 0 });
    expect(find(layout.homesFolder)).toMatchObject({ mode: 0o700, uid: 0 });
  });

  test("give each asker an auth socket that the other can't reach", () => {
    expect(find(dirname(layout.authSocketForBroker))).toMatchObject({ mode: 0o2750, uid: 2, gid: 14 });
    expect(find(dirname(layout.authSocketForAdmin))).toMatchObject({ mode: 0o2750, uid: 2, gid: 13 });
  });
});

describe("the certificate's names", () => {
  test("are those by which clients may call the box, each once", () => {
    expect(listAltNames("box7", ["127.0.0.1", "192.0.2.7", "fe80::1", "2001:db8::7"])).toBe(
      "DNS:localhost,DNS:box7,IP:127.0.0.1,IP:::1,IP:192.0.2.7,IP:2001:db8::7",
    );
  });
});
