/**
 * Reads one line that came out of a desktop. Every byte of it may be hostile: whatever is not exactly one of
 * our messages is refused with a reason in our own words, never with the guest's, and nothing is thrown.
 * Text that ends in the trail is cleaned here, once, so that no one below has to think of it.
 */

import { z } from "zod";
import { X_STATES } from "../../domain/session/x-state.ts";
import {
  type FromGuest,
  GUEST_CHANNELS,
  GUEST_FAULTS,
  GUEST_HOOKS,
  GUEST_WIRE_VERSION,
  MOST_LINE_BYTES,
} from "./messages.ts";

export type ParsedFromGuest =
  | { readonly isGood: true; readonly message: FromGuest }
  | { readonly isGood: false; readonly reason: string };

/** Longest sentence of a guest that reaches the trail, in characters. */
const MOST_TEXT = 600;
const MOST_ID = 2 ** 31 - 1;

const randomId = z.string().regex(/^[a-z0-9-]{8,64}$/);
const id = z.int().min(1).max(MOST_ID);
const address = z.string().regex(/^(25[0-5]|2[0-4]\d|1?\d?\d)(\.(25[0-5]|2[0-4]\d|1?\d?\d)){3}$/);

const message = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("hello"),
    version: z.int().min(0).max(MOST_ID),
    attachment: randomId,
    boot: randomId,
    agentPid: id,
  }),
  z.strictObject({
    type: z.literal("beat"),
    uptimeSeconds: z.number().min(0).max(1e10),
    address: address.nullable(),
  }),
  z.strictObject({ type: z.literal("session"), state: z.enum(X_STATES), session: id.nullable() }),
  z.strictObject({ type: z.literal("done"), order: id }),
  z.strictObject({
    type: z.literal("failed"),
    order: id,
    fault: z.enum(GUEST_FAULTS),
    text: z.string().max(4096).transform(cleanText),
  }),
  z.strictObject({ type: z.literal("powering-off") }),
  z.strictObject({ type: z.literal("unlock"), request: id, secret: z.string().max(1024) }),
  z.strictObject({
    type: z.literal("hook"),
    hook: z.enum(GUEST_HOOKS),
    text: z.string().max(4096).transform(cleanText),
  }),
  z.strictObject({
    type: z.literal("channel"),
    channel: z.enum(GUEST_CHANNELS),
    text: z.string().max(4096).transform(cleanText),
  }),
]);

export function parseFromGuest(line: string): ParsedFromGuest {
  if (line.length > MOST_LINE_BYTES) return refuse("the line is too long");
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    // The engine's message quotes the guest, so it is not repeated.
    return refuse("the line is not JSON");
  }
  const parsed = message.safeParse(value);
  if (!parsed.success) return refuse(describeIssue(parsed.error));
  return { isGood: true, message: parsed.data };
}

/** Whether this node talks with an agent of that version: its own and the one before. */
export function isGuestVersionSpoken(version: number): boolean {
  return version === GUEST_WIRE_VERSION || version === GUEST_WIRE_VERSION - 1;
}

function refuse(reason: string): ParsedFromGuest {
  return { isGood: false, reason };
}

/** Path and kind only; names of unknown keys are the guest's words and stay out. */
function describeIssue(error: z.ZodError): string {
  const issue = error.issues[0];
  const path = issue?.path.map(String).join(".");
  return path ? `the message has a bad ${path}` : "the message is not one of the known ones";
}

/** Without control characters (NUL breaks PostgreSQL's text, ESC a terminal) and lone surrogates. */
function cleanText(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\s\p{Cc}\p{Cf}]+/gu, " ")
    .trim()
    .slice(0, MOST_TEXT)
    .toWellFormed();
}
