/** The public door of the schema: every table, as the migrations leave it (a test compares). */

export { administratorCredentials } from "./administrator-credentials.ts";
export { administratorRoles } from "./administrator-roles.ts";
export { administratorSessions } from "./administrator-sessions.ts";
export { administrators } from "./administrators.ts";
export { auditLog } from "./audit-log.ts";
export { diTags } from "./di-tags.ts";
export { DI_KINDS, DI_STATES, dis } from "./dis.ts";
export { joinCodes } from "./join-codes.ts";
export { leases } from "./leases.ts";
export { NODE_STATES, nodeReports } from "./node-reports.ts";
export { nodeWakes } from "./node-wakes.ts";
export { DRAINS, nodes } from "./nodes.ts";
export { CRASH_POLICIES, HYPERVISORS, osfs } from "./osfs.ts";
export { properties } from "./properties.ts";
export { roleAcls } from "./role-acls.ts";
export { roles } from "./roles.ts";
export { SESSION_STATES, type SessionState, sessions } from "./sessions.ts";
export { settings } from "./settings.ts";
export { tenants } from "./tenants.ts";
export { userCredentials } from "./user-credentials.ts";
export { users } from "./users.ts";
export { vmEvents } from "./vm-events.ts";
export { vmReports } from "./vm-reports.ts";
export { VM_WISHES, type VmWish, vms } from "./vms.ts";
