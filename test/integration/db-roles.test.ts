/**
 * What each process's role may do in SQL, whatever its code tries: least rights hold even when a process is
 * taken over. Each statement is tried by each role; it touches no row, so only the right decides.
 */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Database } from "../../src/db/client.ts";
import { isPermissionRefused } from "../../src/db/errors.ts";
import { PROCESS_ROLES, type ProcessRole } from "../../src/db/url.ts";
import { createTestDatabase, type TestDatabase } from "../support/cluster.ts";

const [NODE, ADMIN, AUTH, BROKER] = PROCESS_ROLES;
const ALL = [NODE, ADMIN, AUTH, BROKER];

const STATEMENTS: readonly (readonly [statement: string, allowed: readonly ProcessRole[]])[] = [
  // What proves somebody.
  ["select password_hash from user_credentials", [AUTH]],
  ["select * from user_credentials", [AUTH]],
  ["select password_hash from administrator_credentials", [AUTH]],
  ["update user_credentials set password_hash = '' where user_id = 0", [ADMIN, AUTH]],
  ["insert into user_credentials (user_id, password_hash) select 1, '' where false", [ADMIN]],
  ["delete from user_credentials where false", [ADMIN]],
  ["update administrator_credentials set password_hash = '' where administrator_id = 0", [ADMIN, AUTH]],
  ["select token_hash from administrator_sessions", [ADMIN]],
  ["update administrator_sessions set expires_at = qvd_now() where false", [ADMIN]],
  ["select sealed_secret from second_factors", [AUTH]],
  ["select created_at from second_factors", [ADMIN, AUTH]],
  ["update second_factors set sealed_secret = '' where false", []],
  // Of users, as QVD 4 had them and auth sealed them; never of administrators.
  [
    "insert into second_factors (user_id, sealed_secret, last_step) select 1, '', 0 where false",
    [ADMIN, AUTH],
  ],
  [
    "insert into second_factors (administrator_id, sealed_secret, last_step) select 1, '', 0 where false",
    [AUTH],
  ],
  ["delete from second_factors where false", [ADMIN, AUTH]],
  ["select code_hash from recovery_codes", [AUTH]],
  ["select * from sign_in_marks", [AUTH]],
  ["update sign_in_marks set failures = 0 where false", [AUTH]],
  [
    "insert into sign_in_marks (id, lane, key, failures, expires_at) select '', 'pair', '', 0, qvd_now() where false",
    [AUTH],
  ],
  ["delete from sign_in_marks where false", [AUTH]],
  ["select token_hash from user_tokens", [AUTH]],
  ["select origin from user_tokens", [ADMIN, AUTH]],
  ["update user_tokens set revoked_at = qvd_now() where false", [ADMIN]],
  ["update user_tokens set expires_at = qvd_now() where false", []],
  ["select code_hash from unlock_codes", [AUTH]],
  // Who there is.
  ["select * from users", ALL],
  ["select * from administrators", [ADMIN, AUTH]],
  ["update users set is_blocked = false where false", [ADMIN]],
  ["insert into administrators (login) select 'x' where false", [ADMIN, AUTH]],
  ["insert into administrators (login, is_blocked) select 'x', false where false", [ADMIN]],
  ["update administrators set provider = null where false", [ADMIN]],
  ["delete from administrators where false", [ADMIN]],
  ["insert into administrator_roles select 1, 1 where false", [ADMIN, AUTH]],
  ["insert into role_acls select 1, '*' where false", []],
  ["update tenants set is_blocked = false where false", [ADMIN]],
  // Nobody rewrites what happened.
  ["select * from audit_log", [NODE, ADMIN]],
  [
    "insert into audit_log (actor, action, subject_kind) select '', '', '' where false",
    [NODE, ADMIN, AUTH, BROKER],
  ],
  ["update audit_log set actor = '' where false", []],
  ["delete from audit_log where false", []],
  ["select * from vm_events", [NODE, ADMIN, BROKER]],
  ["update vm_events set text = '' where false", []],
  ["delete from vm_events where false", []],
  // What is older than the site's settings say goes by one function, which takes no age from its caller.
  ["select qvd_sweep_history(1)", [NODE]],
  ["select qvd_kept_days('history.audit.days')", []],
  // Brokers see people, desktops and sessions, and how their node is.
  ["select * from tenants", ALL],
  ["select * from vms", ALL],
  ["insert into users (tenant_id, login) select 1, 'x' where false", [ADMIN, AUTH]],
  ["update users set login = 'x' where false", [ADMIN]],
  [
    "insert into vms (tenant_id, user_id, osf_id, name, address, id_slot) select 1, 1, 1, '', '10.0.0.1', 1 where false",
    [ADMIN, AUTH],
  ],
  ["select * from vm_reports", [NODE, ADMIN, BROKER]],
  ["select * from sessions", [NODE, ADMIN, BROKER]],
  ["select * from nodes", [NODE, ADMIN, BROKER]],
  ["select * from node_reports", [NODE, ADMIN, BROKER]],
  ["select * from settings", [NODE, ADMIN, AUTH]],
  ["select * from leases", [NODE, ADMIN]],
  ["select * from node_wakes", [NODE]],
  ["update node_wakes set count = 1 where false", [NODE]],
  ["select * from osfs", [NODE, ADMIN, AUTH]],
  ["select id, is_application from osfs", ALL],
  ["select * from dis", [NODE, ADMIN]],
  ["select * from di_tags", [NODE, ADMIN]],
  // Intent.
  ["update vms set wish = 'stopped' where false", [NODE, ADMIN, BROKER]],
  ["update vms set is_blocked = false where false", [NODE, ADMIN]],
  ["update vms set expires_hard_at = qvd_now() where false", [NODE, ADMIN]],
  ["select * from properties", [NODE, ADMIN, AUTH]],
  ["update properties set value = '' where false", [ADMIN]],
  ["select * from join_codes", [ADMIN]],
  [
    "insert into join_codes (id, sealed, created_by, expires_at) select '', '', '', qvd_now() where false",
    [],
  ],
  ["update vms set user_id = 1 where false", [ADMIN]],
  ["update vms set node_id = 1, epoch = 1 where false", [NODE]],
  ["update vms set address = '10.0.0.1' where false", []],
  ["update vms set id_slot = 1 where false", []],
  ["update vms set deleted_at = qvd_now() where false", [ADMIN]],
  ["delete from vms where false", [NODE]],
  ["update osfs set memory_mb = 64 where false", [ADMIN]],
  ["update di_tags set di_id = 1 where false", [ADMIN]],
  ["update dis set is_blocked = false where false", [ADMIN]],
  ["update settings set value = '1' where false", [ADMIN]],
  // Truth.
  ["update vm_reports set state = 'stopped' where false", [NODE]],
  ["update dis set state = 'ready' where false", [NODE]],
  ["insert into dis (osf_id, version, file_name, state) select 1, '', '', 'ready' where false", []],
  ["update dis set file_name = '' where false", []],
  ["update node_reports set state = 'running' where false", [NODE]],
  ["update leases set epoch = 1 where false", [NODE]],
  ["insert into nodes (name) select 'x' where false", [NODE]],
  ["insert into nodes (name, is_blocked) select 'x', false where false", []],
  ["update nodes set is_blocked = false where false", [ADMIN]],
  ["update nodes set strangers_to_end = '{}' where false", [NODE, ADMIN]],
  // Sessions have three writers, each of its own columns.
  [
    "insert into sessions (vm_id, user_id, client, slave_key, broker_worker) select 1, 1, '{}', '', '' where false",
    [BROKER],
  ],
  [
    "insert into sessions (vm_id, user_id, client, slave_key, broker_worker, state, address) select 1, 1, '{}', '', '', 'listening', null::inet where false",
    [],
  ],
  ["update sessions set address = '10.0.0.1', port = 22 where false", [NODE]],
  ["update sessions set connected_at = qvd_now() where false", [BROKER]],
  ["update sessions set ends_at = qvd_now() where false", [BROKER]],
  // What opens a console is written by the admin process alone; a broker invites and counts.
  ["select console_key from visits", [NODE, ADMIN]],
  ["select ticket_hash from visits", [NODE, ADMIN]],
  ["select administrator_id, began_at from visits", [NODE, ADMIN, BROKER]],
  ["update visits set administrator_id = 1 where false", []],
  ["select * from qvd_visit_asker(0)", [NODE, BROKER]],
  // Beginning and admitting are the database's own functions: what they need is looked at there.
  ["select * from qvd_begin_visit('', null)", [BROKER]],
  ["select qvd_admit_visit(0, null)", [BROKER]],
  ["update visits set began_at = qvd_now() where false", []],
  ["update visits set ticket_hash = null where false", []],
  ["update visits set ended_at = qvd_now() where false", [BROKER]],
  [
    "insert into visits (kind, vm_id, asked_by, may_control, needs_consent, ticket_expires_at, console_key) select 'console', 1, '', true, false, qvd_now(), 'k' where false",
    [ADMIN],
  ],
  [
    "insert into visits (kind, vm_id, session_id, asked_by, may_control, needs_consent, ticket_expires_at) select 'watch', 1, 1, '', true, false, qvd_now() where false",
    [ADMIN, BROKER],
  ],
  ["update visits set console_key = 'k' where false", []],
  ["update visits set may_control = true where false", []],
  ["update visits set admitted_at = qvd_now() where false", []],
  ["delete from visits where false", [ADMIN]],
  // Who is signed in by browser, and what opens a desktop once.
  ["select * from user_web_sessions", [BROKER]],
  ["select user_id from user_web_sessions", [BROKER, ADMIN]],
  ["delete from user_web_sessions where false", [BROKER, ADMIN]],
  ["insert into user_web_sessions (user_id) select 1 where false", [BROKER]],
  ["update user_web_sessions set seen_at = qvd_now() where false", [BROKER]],
  ["update user_web_sessions set user_id = 1, expires_at = qvd_now() where false", []],
  ["select * from user_web_tickets", [BROKER]],
  ["update user_web_tickets set vm_id = 1 where false", []],
  ["delete from user_web_tickets where false", [BROKER]],
  // Of brokers that are lost with their box, by whoever takes over.
  ["update sessions set ended_at = qvd_now(), end_cause = 'node-lost' where false", [BROKER, NODE]],
  ["update sessions set end_wished_at = qvd_now() where false", [ADMIN, BROKER]],
  ["update sessions set user_id = 1 where false", []],
  // The schema.
  ["create table mine (id int)", []],
  ["create temporary table mine (id int)", ALL],
  ["drop table vms", []],
  ["truncate vm_events", []],
  ["alter table vms add column mine int", []],
  ["insert into schema_migrations (number, name) select 9, '' where false", []],
  ["create or replace function qvd_now() returns timestamptz language sql as 'select null::timestamptz'", []],
  ["set role qvd_owner", []],
  ["create role mine", []],
  ["copy users to program 'true'", []],
  ["select pg_read_file('/etc/passwd')", []],
];

let database: TestDatabase;
const opened = new Map<ProcessRole, Database>();
beforeAll(async () => {
  database = await createTestDatabase();
  for (const role of PROCESS_ROLES) opened.set(role, database.open(role));
}, 120_000);
afterAll(() => database.drop());

describe.each([...STATEMENTS])("%s", (statement, allowed) => {
  test.each([...PROCESS_ROLES])("by %s", async (role) => {
    const client = opened.get(role);
    const outcome = await client?.sql
      .begin(async (tx) => {
        await tx.unsafe(statement);
        throw new Error("was allowed");
      })
      .catch((error) => error);
    if (allowed.includes(role)) expect(outcome?.message).toBe("was allowed");
    else expect(isPermissionRefused(outcome)).toBe(true);
  });
});
