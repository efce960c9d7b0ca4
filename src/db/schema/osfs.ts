import { boolean, integer, pgTable, real, text } from "drizzle-orm/pg-core";
import type { OsfId, TenantId } from "../../domain/ids.ts";
import { PERSISTENCES } from "../../domain/image/persistence.ts";
import { moment, qvdNow } from "./columns.ts";

export const HYPERVISORS = ["lxc", "kvm"] as const;
export const CRASH_POLICIES = ["leave", "restart"] as const;

export const osfs = pgTable("osfs", {
  id: integer("id").$type<OsfId>().generatedAlwaysAsIdentity().primaryKey(),
  tenantId: integer("tenant_id").$type<TenantId>().notNull(),
  name: text("name").notNull(),
  memoryMb: integer("memory_mb").notNull().default(1024),
  cpus: real("cpus").notNull().default(2),
  createdAt: moment("created_at").notNull().default(qvdNow),
  hypervisor: text("hypervisor", { enum: HYPERVISORS }).notNull().default("lxc"),
  persistence: text("persistence", { enum: PERSISTENCES }).notNull().default("home"),
  keptFolders: text("kept_folders").array().notNull().default([]),
  homeMb: integer("home_mb"),
  systemMb: integer("system_mb"),
  idleStopSeconds: integer("idle_stop_seconds"),
  onCrash: text("on_crash", { enum: CRASH_POLICIES }).notNull().default("restart"),
  allowsNeighbours: boolean("allows_neighbours").notNull().default(false),
  hasAgent: boolean("has_agent").notNull().default(true),
  offersConsole: boolean("offers_console").notNull().default(false),
  isApplication: boolean("is_application").notNull().default(false),
  program: text("program"),
  expirySoftSeconds: integer("expiry_soft_seconds"),
  expiryHardSeconds: integer("expiry_hard_seconds"),
});
