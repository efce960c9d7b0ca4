import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { clientFolder, pinFile, readPin, readProfile, writePin, writeProfile } from "./client-files.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(`${tmpdir()}/qvd-client-`);
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("pinned certificates", () => {
  test("are kept by host and port, for their owner alone", async () => {
    expect(await readPin(folder, "a:1")).toBeUndefined();
    await writePin(folder, "a:1", "AA");
    await writePin(folder, "b:1", "BB");
    await writePin(folder, "a:1", "CC");
    expect([await readPin(folder, "a:1"), await readPin(folder, "b:1")]).toEqual(["CC", "BB"]);
    expect(statSync(pinFile(folder)).mode & 0o777).toBe(0o600);
  });

  test("that can't be understood are not taken for none", async () => {
    writeFileSync(pinFile(folder), '{"a:1": ');
    await expect(readPin(folder, "a:1")).rejects.toThrow(/correct it, or remove it/);
    await expect(writePin(folder, "a:1", "AA")).rejects.toThrow(/correct it, or remove it/);
  });
});

describe("profiles", () => {
  test("come back as they were kept", async () => {
    await writeProfile(folder, "work", { host: "a:1", user: "alice", ca: "/etc/ca.pem" });
    expect(await readProfile(folder, "work")).toEqual({ host: "a:1", user: "alice", ca: "/etc/ca.pem" });
  });
  test("that aren't there are told with what makes them", async () => {
    await expect(readProfile(folder, "work")).rejects.toThrow(/--save-profile work/);
  });
  test("have names, not paths", async () => {
    for (const name of ["../x", "", "a/b", ".hidden"])
      await expect(writeProfile(folder, name, { host: "a" })).rejects.toThrow(/no name of a profile/);
  });
});

test("the folder is where the system keeps such things", () => {
  expect(clientFolder({ HOME: "/home/a" })).toBe("/home/a/.config/qvd");
  expect(clientFolder({ HOME: "/home/a", XDG_CONFIG_HOME: "/c" })).toBe("/c/qvd");
  for (const none of ["", "c", "./c"])
    expect(clientFolder({ HOME: "/home/a", XDG_CONFIG_HOME: none })).toBe("/home/a/.config/qvd");
  expect(clientFolder({ HOME: "" })).toBe(`${homedir()}/.config/qvd`);
});
