/**
 * What `/api/v1` answers, as schemas: the server's answers have these types, and the command line reads them
 * through the same schemas. Times are ISO 8601 in UTC; sizes are bytes unless the name says otherwise.
 */

import { z } from "zod";
import { SESSION_ACCESSES, SESSION_STATES } from "../../db/schema/sessions.ts";
import { SESSION_PHASES } from "../../domain/session/session-phase.ts";
import { VM_STATES } from "../../domain/vm/state.ts";
import { DirectoryStep, SlowedShape } from "../../wire/auth/administration.ts";

const time = z.string();
const id = z.number().int();

export const UserShape = z.object({
  id,
  login: z.string(),
  fullName: z.string(),
  tenant: z.string(),
  isBlocked: z.boolean(),
  desktops: z.number().int(),
  createdAt: time,
});
export type UserShape = z.infer<typeof UserShape>;

export const TenantShape = z.object({
  id,
  name: z.string(),
  isBlocked: z.boolean(),
  users: z.number().int(),
  desktops: z.number().int(),
  administrators: z.number().int(),
  createdAt: time,
});
export type TenantShape = z.infer<typeof TenantShape>;

export const AdministratorShape = z.object({
  id,
  login: z.string(),
  /** `*` is the site itself. */
  tenant: z.string(),
  roles: z.array(z.string()),
  /** Whose groups say what they may do; null for one who was created here. */
  provider: z.string().nullable(),
  isBlocked: z.boolean(),
  hasSecondFactor: z.boolean(),
  createdAt: time,
  /** When they last asked for something; null when they aren't signed in. */
  seenAt: time.nullable(),
});
export type AdministratorShape = z.infer<typeof AdministratorShape>;

export const AuditShape = z.object({
  id,
  at: time,
  actor: z.string(),
  /** Where they asked from. */
  origin: z.string().nullable(),
  action: z.string(),
  subjectKind: z.string(),
  subjectId: id.nullable(),
  subjectName: z.string().nullable(),
  detail: z.unknown(),
});
export type AuditShape = z.infer<typeof AuditShape>;

/** The newest first; `next` is the `before` of the rows that follow, null where there are none. */
export const AuditPageShape = z.object({ items: z.array(AuditShape), next: id.nullable() });
export type AuditPageShape = z.infer<typeof AuditPageShape>;

export const TokenShape = z.object({
  id,
  state: z.enum(["good", "revoked", "expired", "used"]),
  /** The one desktop that it opens; null for all of the user's. */
  vm: z.string().nullable(),
  isMultiUse: z.boolean(),
  origin: z.string(),
  createdAt: time,
  expiresAt: time,
  usedAt: time.nullable(),
});
export type TokenShape = z.infer<typeof TokenShape>;

export const VmShape = z.object({
  id,
  name: z.string(),
  tenant: z.string(),
  userId: id,
  user: z.string(),
  osfId: id,
  osf: z.string(),
  tag: z.string(),
  address: z.string(),
  isBlocked: z.boolean(),
  blockedReason: z.string().nullable(),
  wish: z.enum(["running", "stopped"]),
  state: z.enum(VM_STATES),
  stateAt: time.nullable(),
  /** Of the person's X session inside. */
  xState: z.string(),
  isConnected: z.boolean(),
  /** Version of the image that it runs now. */
  runningVersion: z.string().nullable(),
  node: z.string().nullable(),
  fault: z.string().nullable(),
  createdAt: time,
});
export type VmShape = z.infer<typeof VmShape>;

/** What became of a wish for many. */
export const WishedShape = z.object({
  wished: z.number(),
  /** Wished so already. */
  unchanged: z.number(),
  refused: z.array(z.object({ id, code: z.string(), message: z.string() })),
});
export type WishedShape = z.infer<typeof WishedShape>;

export const EventShape = z.object({
  id,
  at: time,
  code: z.string(),
  text: z.string(),
  actor: z.string().nullable(),
  node: z.string().nullable(),
});
export type EventShape = z.infer<typeof EventShape>;

export const ExplanationShape = z.object({
  wished: z.string(),
  truth: z.string(),
  /** Null when what is true is what is wished. */
  difference: z.string().nullable(),
  tried: z.array(z.object({ at: time, text: z.string() })),
  next: z.string(),
  nextAt: time.nullable(),
  advice: z.array(z.object({ text: z.string(), command: z.string().nullable() })),
  candidates: z.array(z.object({ node: z.string(), reason: z.string() })),
});
export type ExplanationShape = z.infer<typeof ExplanationShape>;

export const OsfShape = z.object({
  id,
  name: z.string(),
  tenant: z.string(),
  memoryMb: z.number().int(),
  cpus: z.number(),
  hypervisor: z.enum(["lxc", "kvm"]),
  persistence: z.enum(["nothing", "home", "folders", "everything"]),
  keptFolders: z.array(z.string()),
  homeMb: z.number().int().nullable(),
  systemMb: z.number().int().nullable(),
  idleStopSeconds: z.number().int().nullable(),
  onCrash: z.enum(["leave", "restart"]),
  allowsNeighbours: z.boolean(),
  hasAgent: z.boolean(),
  /** Its people may work at the machine's own screen. */
  offersConsole: z.boolean(),
  expirySoftSeconds: z.number().int().nullable(),
  expiryHardSeconds: z.number().int().nullable(),
  isApplication: z.boolean(),
  /** What a session of an application starts; null for what the image starts by itself. */
  program: z.string().nullable(),
  images: z.number().int(),
  desktops: z.number().int(),
});
export type OsfShape = z.infer<typeof OsfShape>;

export const ImageShape = z.object({
  id,
  osfId: id,
  osf: z.string(),
  version: z.string(),
  fileName: z.string(),
  state: z.enum(["new", "fetching", "verifying", "ready", "failed"]),
  fault: z.string().nullable(),
  sizeBytes: z.number().nullable(),
  sha256: z.string().nullable(),
  kind: z.enum(["archive", "disk"]),
  sourceUrl: z.string().nullable(),
  /** Of a transfer under way; the total is null while nobody knows it. */
  doneBytes: z.number().nullable(),
  totalBytes: z.number().nullable(),
  publishedAt: time.nullable(),
  retiredAt: time.nullable(),
  /** Desktops that run on it now. */
  running: z.number().int(),
  tags: z.array(z.string()),
  isBlocked: z.boolean(),
  createdAt: time,
});
export type ImageShape = z.infer<typeof ImageShape>;

export const NodeShape = z.object({
  id,
  name: z.string(),
  isBlocked: z.boolean(),
  /** Of the node itself; `lost` when it went silent and its lease has lapsed. */
  state: z.enum(["stopped", "starting", "running", "stopping", "lost"]),
  drain: z.enum(["finish", "move"]).nullable(),
  address: z.string().nullable(),
  hasSharedStorage: z.boolean(),
  weight: z.number(),
  isLeaseValid: z.boolean(),
  leaseValidUntil: time.nullable(),
  reportedAt: time.nullable(),
  desktops: z.number().int(),
  running: z.number().int(),
  problems: z.array(z.string()),
  /** Numbers of desktops that run there though the site doesn't place them there. */
  strangers: z.array(z.number().int()).default([]),
});
export type NodeShape = z.infer<typeof NodeShape>;

/** Key and value of one thing. */
export const PropertiesShape = z.record(z.string(), z.string());
export type PropertiesShape = z.infer<typeof PropertiesShape>;

export const SessionShape = z.object({
  id,
  vmId: id,
  vm: z.string(),
  userId: id,
  user: z.string(),
  tenant: z.string(),
  state: z.enum(SESSION_PHASES),
  /** Of the X session inside, as its node says. */
  preparation: z.enum(SESSION_STATES),
  access: z.enum(SESSION_ACCESSES),
  /** Whose broker carries it. */
  node: z.string().nullable(),
  clientAddress: z.string().nullable(),
  requestedAt: time,
  connectedAt: time.nullable(),
  endedAt: time.nullable(),
  endCause: z.string().nullable(),
  /** The cause in words, or why it could not be prepared. */
  endReason: z.string().nullable(),
  endWishedBy: z.string().nullable(),
  bytesToClient: z.number(),
  bytesFromClient: z.number(),
});
export type SessionShape = z.infer<typeof SessionShape>;

/** A list's answer: one page, and how many there are in all. */
export function pageOf<Item extends z.ZodType>(item: Item) {
  return z.object({ items: z.array(item), total: z.number().int(), page: z.number().int() });
}

/** A site setting as it holds for the site or a tenant; a secret's value is empty. */
export const SettingShape = z.object({
  name: z.string(),
  kind: z.enum(["text", "number", "switch", "choice", "words", "secret"]),
  scope: z.enum(["site", "tenant"]),
  value: z.string(),
  isSet: z.boolean(),
  source: z.enum(["default", "site", "tenant"]),
  doc: z.string(),
  choices: z.array(z.string()).optional(),
});
export type SettingShape = z.infer<typeof SettingShape>;

/** Sign-ins whose next try waits. */
export const SlowedListShape = z.object({ slowed: z.array(SlowedShape), total: z.number().int() });
export type SlowedListShape = z.infer<typeof SlowedListShape>;

/** What each server of a directory said, step by step. */
export const DirectoryTestShape = z.array(z.object({ name: z.string(), steps: z.array(DirectoryStep) }));

/** A page on the QVD port, good for one visit within a minute. */
export const VisitShape = z.object({ address: z.string() });
export type VisitShape = z.infer<typeof VisitShape>;
