import { expect, test } from "bun:test";
import { z } from "zod";
import { Tickets } from "./ticket.ts";

const tickets = new Tickets(new Uint8Array(32).fill(7));
const schema = z.object({ userId: z.number() });
const made = tickets.seal("oidc", { userId: 3 }, 1_000);

test("comes back as it was given, until its end", () => {
  expect(tickets.open("oidc", schema, { text: made, nowMs: 999 })).toEqual({ userId: 3 });
  expect(tickets.open("oidc", schema, { text: made, nowMs: 1_000 })).toBeUndefined();
});

test("opens for nothing else, with no other key, and not when one bit of it is another", () => {
  const open = (text: string) => tickets.open("oidc", schema, { text, nowMs: 0 });
  expect(tickets.open("enrolment", schema, { text: made, nowMs: 0 })).toBeUndefined();
  expect(new Tickets(new Uint8Array(32)).open("oidc", schema, { text: made, nowMs: 0 })).toBeUndefined();
  const bytes = Buffer.from(made, "base64url");
  for (let at = 0; at < bytes.length; at++) {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] ?? 0) ^ 1;
    expect(open(changed.toString("base64url"))).toBeUndefined();
  }
  for (const text of ["", "x", "\u0000", made.slice(0, 20), "é".repeat(99)])
    expect(open(text)).toBeUndefined();
});

test("tells nothing of what is in it, and is another each time", () => {
  expect(tickets.seal("oidc", { userId: 3 }, 1_000)).not.toBe(made);
  expect(Buffer.from(made, "base64url").toString("latin1")).not.toContain("userId");
});

test("whose contents are not what is expected is none", () => {
  const text = tickets.seal("oidc", { userId: "3" }, 1_000);
  expect(tickets.open("oidc", schema, { text, nowMs: 0 })).toBeUndefined();
});
