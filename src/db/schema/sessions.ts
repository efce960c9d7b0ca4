import { sql } from "drizzle-orm";
import { bigint, index, inet, integer, jsonb, pgTable, text, uniqueIndex } from "drizzle-orm/pg-core";
import type { NodeId, SessionId, UserId, VmId } from "../../domain/ids.ts";
import type { ClientParameters, GivenParameters } from "../../domain/session/client-parameters.ts";
import { moment, qvdNow } from "./columns.ts";

export const SESSION_STATES = ["requested", "preparing", "listening", "failed"] as const;
export const SESSION_ACCESSES = ["nx", "browser", "console"] as const;
export type SessionAccess = (typeof SESSION_ACCESSES)[number];
export type SessionState = (typeof SESSION_STATES)[number];

/** One row is one sitting of a client at a desktop; live while neither ended nor superseded. */
export const sessions = pgTable(
  "sessions",
  {
    id: bigint("id", { mode: "number" }).$type<SessionId>().generatedAlwaysAsIdentity().primaryKey(),
    vmId: integer("vm_id").$type<VmId>().notNull(),
    userId: integer("user_id").$type<UserId>().notNull(),
    // Intent: service/session.
    requestedAt: moment("requested_at").notNull().default(qvdNow),
    access: text("access", { enum: SESSION_ACCESSES }).notNull().default("nx"),
    client: jsonb("client").$type<ClientParameters>().notNull(),
    parameters: jsonb("parameters").$type<GivenParameters>().notNull().default({}),
    slaveKey: text("slave_key").notNull(),
    clientAddress: text("client_address"),
    brokerNodeId: integer("broker_node_id").$type<NodeId>(),
    brokerWorker: text("broker_worker").notNull(),
    supersededAt: moment("superseded_at"),
    endWishedAt: moment("end_wished_at"),
    endWishedBy: text("end_wished_by"),
    // Observed: node/report.
    state: text("state", { enum: SESSION_STATES }).notNull().default("requested"),
    stateAt: moment("state_at").notNull().default(qvdNow),
    address: inet("address"),
    port: integer("port"),
    faultCode: text("fault_code"),
    faultText: text("fault_text"),
    // Recorded: broker/record.
    connectedAt: moment("connected_at"),
    /** Announced by a worker that is replaced. */
    endsAt: moment("ends_at"),
    endedAt: moment("ended_at"),
    endCause: text("end_cause"),
    bytesToClient: bigint("bytes_to_client", { mode: "number" }).notNull().default(0),
    bytesFromClient: bigint("bytes_from_client", { mode: "number" }).notNull().default(0),
  },
  (table) => [
    uniqueIndex("sessions_live")
      .on(table.vmId)
      .where(sql`${table.endedAt} is null and ${table.supersededAt} is null`),
    index("sessions_vm").on(table.vmId, table.id.desc()),
    index("sessions_user").on(table.userId, table.id.desc()),
    index("sessions_ending")
      .on(table.endsAt)
      .where(sql`${table.endsAt} is not null and ${table.endedAt} is null`),
    index("sessions_open").on(table.brokerNodeId, table.brokerWorker).where(sql`${table.endedAt} is null`),
  ],
);
