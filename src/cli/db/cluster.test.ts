import { describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { findPostgres, postgresCommand, renderIdentMap } from "./cluster.ts";

const place = { folder: "/state/database", socketFolder: "/run/x/database", binFolder: "/pg/bin" };

describe("the embedded database", () => {
  test("lets each account be its own role alone, and root any", () => {
    const lines = renderIdentMap().trim().split("\n");
    expect(lines.filter((line) => !line.startsWith("qvd root "))).toEqual([
      "qvd qvd-db qvd_owner",
      "qvd qvd-auth qvd_auth",
      "qvd qvd-broker qvd_broker",
      "qvd qvd-admin qvd_admin",
    ]);
    expect(lines).toContain("qvd root qvd_node");
  });

  test("listens on no network, and ends when whoever looks after it does", () => {
    const command = postgresCommand(place, ["drop", "--"]);
    expect(command.slice(0, 2)).toEqual(["drop", "--"]);
    expect(command).toContain("listen_addresses=");
    expect(command).toContain("unix_socket_directories=/run/x/database");
    expect(command.join(" ")).toContain("--pdeathsig INT -- /pg/bin/postgres -D /state/database/cluster");
  });

  test("is the newest server of the machine, by number", async () => {
    const parent = mkdtempSync(`${tmpdir()}/qvd-pg-`);
    for (const version of ["9", "15", "17"]) {
      mkdirSync(`${parent}/${version}/bin`, { recursive: true });
      if (version !== "17") writeFileSync(`${parent}/${version}/bin/postgres`, "");
    }
    expect(await findPostgres(parent)).toBe(`${parent}/15/bin`);
    rmSync(parent, { recursive: true });
  });

  test("that is not installed is a sentence with what to install", async () => {
    await expect(findPostgres("/nowhere")).rejects.toThrow(/apt-get install postgresql/);
  });
});
