import { describe, expect, test } from "bun:test";
import { type Env, loadConfig } from "./load-config.ts";
import { SETTINGS } from "./settings.ts";

const load = (env: Env, files: Readonly<Record<string, string>> = {}) =>
  loadConfig({ env, readText: (path) => files[path], hostName: "box7" });

describe("settings", () => {
  test("have defaults that hold together, and those that depend on others are filled in", () => {
    const { config, sources } = load({});
    expect(config.brokerPort).toBe(8443);
    expect(config.nodeName).toBe("box7");
    expect(config.runFolder).toBe("/run/qvd/qvd");
    expect(new Set(Object.values(sources))).toEqual(new Set(["default"]));
  });

  test("come from the environment over the file over the default", () => {
    const file = '# ours\nQVD_BROKER_PORT = 1\nQVD_ADMIN_PORT=2\n\nQVD_STATE="/srv/a b"\n';
    const { config, sources } = load({ QVD_ADMIN_PORT: "3" }, { "/etc/qvd/qvd.conf": file });
    expect(config).toMatchObject({ brokerPort: 1, adminPort: 3, stateFolder: "/srv/a b", brokerWorkers: 2 });
    expect(sources).toMatchObject({ brokerPort: "file", adminPort: "environment", brokerWorkers: "default" });
  });

  test("are read from the file that QVD_CONFIG names", () => {
    expect(load({ QVD_CONFIG: "/x" }, { "/x": "QVD_INSTANCE=abc" }).config.runFolder).toBe("/run/qvd/abc");
  });

  test("report all faults together", () => {
    const env = { QVD_BROKER_PORT: "http", QVD_LOG_LEVEL: "loud", QVD_STATE: "here" };
    expect(() => load(env)).toThrow(/QVD_STATE .*QVD_BROKER_PORT .*QVD_LOG_LEVEL must be one of debug/);
  });

  test.each([
    [{ QVD_INSTANCE: "Too-long-name" }, /QVD_INSTANCE must be 1 to 8/],
    [{ QVD_INSTANCE: "" }, /QVD_INSTANCE/],
    [{ QVD_BROKER_PORT: "0" }, /QVD_BROKER_PORT must be a port/],
    [{ QVD_BROKER_PORT: "70000" }, /QVD_BROKER_PORT must be a port/],
    [{ QVD_BROKER_PORT: "9443" }, /must differ/],
    [{ QVD_BROKER_WORKERS: "0" }, /QVD_BROKER_WORKERS/],
    [{ QVD_CONFIG: "/missing" }, /QVD_CONFIG names \/missing/],
  ])("refuse %p", (env, fault) => {
    expect(() => load(env)).toThrow(fault);
  });

  test("refuse a file with a line that is no setting, naming the line", () => {
    const files = { "/etc/qvd/qvd.conf": "QVD_STATE=/a\nQVD_STAET=/b\n" };
    expect(() => load({}, files)).toThrow(/qvd.conf line 2 /);
  });

  test("are named QVD_ and explained, each one", () => {
    for (const spec of Object.values(SETTINGS)) {
      expect(spec.name).toMatch(/^QVD_[A-Z_]+$/);
      expect(spec.doc.length).toBeGreaterThan(20);
    }
  });
});
