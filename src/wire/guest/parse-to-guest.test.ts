import { describe, expect, test } from "bun:test";
import { formatGuestMessage, type ToGuest } from "./messages.ts";
import { parseToGuest } from "./parse-to-guest.ts";

const prepare: Extract<ToGuest, { type: "session-prepare" }> = {
  type: "session-prepare",
  order: 3,
  session: 9,
  account: { login: "alice", uid: 2001, fullName: "Alice" },
  client: { keyboard: "pc105/us", os: "linux", link: "adsl", geometry: "1024x768", isFullscreen: true },
  accept: "10.77.1.1",
  slaveKey: "k",
};

describe("parseToGuest", () => {
  const good: readonly ToGuest[] = [
    { type: "welcome", version: 1, attachment: "abc" },
    { type: "welcome", version: 1, attachment: "abc", incarnation: "3 17" },
    prepare,
    { ...prepare, properties: { site: "berlin", empty: "" } },
    { ...prepare, access: "browser" },
    { type: "session-suspend", order: 1 },
    { type: "unlock-verdict", request: 2, isUnlocked: true, text: "" },
    { type: "unlock-verdict", request: 2, isUnlocked: false, text: "Wait a minute." },
    { type: "session-stop", order: 2 },
    { type: "power-off", order: 3 },
    { type: "notice", order: 4, text: "There is a newer version." },
    { type: "notice", order: 5, text: "Soon.", expiry: { soft: "2026-01-01T00:00:00Z", hard: "" } },
  ];
  for (const message of good) {
    test(`takes ${message.type}`, () => {
      expect(parseToGuest(formatGuestMessage(message).trimEnd())).toEqual({ isGood: true, message });
    });
  }

  test("takes of properties those that are texts", () => {
    const line = JSON.stringify({ ...prepare, properties: { a: "1", b: 2, c: null } });
    expect(parseToGuest(line)).toEqual({ isGood: true, message: { ...prepare, properties: { a: "1" } } });
  });

  test("leaves out what a newer node adds", () => {
    const line = JSON.stringify({ type: "session-stop", order: 2, urgency: "high" });
    expect(parseToGuest(line)).toEqual({ isGood: true, message: { type: "session-stop", order: 2 } });
  });

  test("reads what is given beside, and leaves out what is no text", () => {
    const given = { "qvd.client.timezone": "Europe/Madrid" };
    const parameters = { "qvd.vm.user.home": "/srv/ann" };
    const whole = {
      ...prepare,
      client: { ...prepare.client, given: { ...given, "custom.a": 7 } },
      parameters: { ...parameters, "qvd.vm.user.uid": 7 },
      program: "xterm",
    };
    const { message } = parseToGuest(JSON.stringify(whole)) as { message: Record<string, unknown> };
    expect(message).toMatchObject({ client: { given }, parameters, program: "xterm" });
    expect(JSON.stringify(message)).not.toContain("7,");
    for (const program of [undefined, null, "", 7])
      expect(parseToGuest(JSON.stringify({ ...prepare, program }))).not.toHaveProperty("message.program");
  });

  const bad: readonly (readonly [string, string, number | null])[] = [
    ["no JSON", "{", null],
    ["a list", "[]", null],
    ["null", "null", null],
    ["an order without id", JSON.stringify({ type: "session-stop" }), null],
    ["an order this agent doesn't know", JSON.stringify({ type: "session-record", order: 8 }), 8],
    ["a welcome without attachment", JSON.stringify({ type: "welcome", version: 1 }), null],
    ["a prepare without account", JSON.stringify({ ...prepare, account: undefined }), 3],
    ["a prepare with half an account", JSON.stringify({ ...prepare, account: { login: "a", uid: "0" } }), 3],
    ["a prepare without client", JSON.stringify({ ...prepare, client: null }), 3],
    ["a prepare with half a client", JSON.stringify({ ...prepare, client: { link: "lan" } }), 3],
    ["a prepare without session", JSON.stringify({ ...prepare, session: null }), 3],
    ["a prepare without gateway", JSON.stringify({ ...prepare, accept: 7 }), 3],
  ];
  for (const [what, line, order] of bad) {
    test(`refuses ${what}, keeping the id to answer to`, () => {
      expect(parseToGuest(line)).toMatchObject({ isGood: false, order });
    });
  }
});
