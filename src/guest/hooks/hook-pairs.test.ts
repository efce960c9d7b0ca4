import { describe, expect, test } from "bun:test";
import { actionPairs, sessionPairs, stateHookOf } from "./hook-pairs.ts";

const ORDER = {
  type: "session-prepare",
  order: 1,
  session: 7,
  account: { login: "ann", uid: 10_001, fullName: "Ann" },
  client: { keyboard: "pc105/us", os: "linux", link: "lan", geometry: "800x600", isFullscreen: true },
  accept: "10.0.0.1",
  slaveKey: "secret",
} as const;

describe("what hooks are told", () => {
  test("is who the session is for, what their client asked for, and the properties", () => {
    expect(sessionPairs({ ...ORDER, properties: { printer: "lp0" } })).toEqual({
      printer: "lp0",
      "qvd.vm.user.name": "ann",
      "qvd.vm.user.home": "/home/ann",
      "qvd.client.keyboard": "pc105/us",
      "qvd.client.os": "linux",
      "qvd.client.link": "lan",
      "qvd.client.geometry": "800x600",
      "qvd.client.fullscreen": "1",
    });
  });

  test("is what a client says beyond that, where a property doesn't say otherwise", () => {
    const given = { "custom.a": "client", "custom.b": "client", "qvd.client.printing.enabled": "1" };
    const pairs = sessionPairs({
      ...ORDER,
      client: { ...ORDER.client, given },
      properties: { "custom.a": "property" },
    });
    expect(pairs).toMatchObject({ ...given, "custom.a": "property" });
  });

  test("is what an authenticator gives beyond that, and where the home is, whatever it calls it", () => {
    const given = { "qvd.vm.user.ldap.name": "ann.b", "qvd.vm.user.ldap.home": "/srv/ann" };
    const parameters = { ...given, "qvd.vm.user.home": "/srv/ann" };
    expect(sessionPairs({ ...ORDER, parameters })).toMatchObject({
      ...given,
      "qvd.vm.user.home": "/home/ann",
    });
  });

  test("is never a property in the place of what is ours, nor the session's key", () => {
    const pairs = sessionPairs({
      ...ORDER,
      properties: { "qvd.vm.user.name": "root", "qvd.hook.on_action": "x" },
    });
    expect(pairs["qvd.vm.user.name"]).toBe("ann");
    expect(pairs["qvd.hook.on_action"]).toBeUndefined();
    expect(JSON.stringify(pairs)).not.toContain("secret");
  });

  test("has the original's words", () => {
    expect(actionPairs("pre-connect", "none")).toEqual({
      "qvd.vm.session.state": "stopped",
      "qvd.hook.on_action": "pre_connect",
    });
    expect(actionPairs("suspend", "connected")).toEqual({
      "qvd.vm.session.state": "connected",
      "qvd.hook.on_action": "suspend",
    });
  });

  test("of states only at those that QVD 4 had hooks for", () => {
    const hooks = (
      ["none", "starting", "listening", "connected", "suspending", "suspended", "stopping"] as const
    ).map(stateHookOf);
    const none = undefined;
    expect(hooks).toEqual(["disconnected", none, none, "connected", none, "suspended", none]);
  });
});
