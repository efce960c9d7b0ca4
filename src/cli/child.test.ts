import { describe, expect, test } from "bun:test";
import { loadConfig } from "../config/load-config.ts";
import { childEnv, rootChildEnv } from "./child.ts";

const env = {
  QVD_DATABASE_URL: "postgres://owner:secret@db.example:5432/qvd?sslmode=require",
  QVD_INSTANCE: "abc",
};
const { config } = loadConfig({ env, readText: () => undefined, hostName: "box" });

describe("what a started mode is told", () => {
  test("is every setting as we have it", () => {
    const again = loadConfig({ env: rootChildEnv(config), readText: () => "", hostName: "another" });
    expect(again.config).toEqual(config);
  });

  test("names an outside database without the owner's password, unless the mode is root like us", () => {
    const told = childEnv(config);
    expect(told.QVD_DATABASE_URL).toBe("postgres://db.example:5432/qvd?sslmode=require");
    expect(JSON.stringify(told)).not.toContain("secret");
    expect(rootChildEnv(config).QVD_DATABASE_URL).toBe(env.QVD_DATABASE_URL);
  });

  test("is empty where the database is the embedded one", () => {
    const plain = loadConfig({ env: {}, readText: () => undefined, hostName: "box" }).config;
    expect(childEnv(plain).QVD_DATABASE_URL).toBe("");
  });
});
