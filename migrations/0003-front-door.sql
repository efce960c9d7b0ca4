-- The front door: every client, every way of proving who one is.

-- Sessions ------------------------------------------------------------------------------------------------

-- What shows the desktop: an NX client, or a browser by way of the gateway.
ALTER TABLE sessions ADD COLUMN access text NOT NULL DEFAULT 'nx' CHECK (access IN ('nx', 'browser'));
GRANT INSERT (access) ON sessions TO qvd_broker;

-- What an authenticator gives the desktop (`qvd.vm.user.home`); goes over what the client says.
ALTER TABLE sessions ADD COLUMN parameters jsonb NOT NULL DEFAULT '{}';
GRANT INSERT (parameters) ON sessions TO qvd_broker;
CREATE INDEX sessions_user ON sessions (user_id, id DESC);

-- When the broker that carries it ends it, because it was replaced; written once, in good time.
ALTER TABLE sessions ADD COLUMN ends_at timestamptz;
GRANT UPDATE (ends_at) ON sessions TO qvd_broker;
CREATE INDEX sessions_ending ON sessions (ends_at) WHERE ends_at IS NOT NULL AND ended_at IS NULL;

-- Applications --------------------------------------------------------------------------------------------

-- Desktops of such an OSF are offered as applications; `program` is what their session starts, null for what the
-- image starts by itself.
ALTER TABLE osfs ADD COLUMN is_application boolean NOT NULL DEFAULT false;
ALTER TABLE osfs ADD COLUMN program text CHECK (program IS NULL OR (is_application AND length(program) BETWEEN 1 AND 1024));
GRANT SELECT (id, is_application) ON osfs TO qvd_broker;

-- What happened, and how long it is kept ------------------------------------------------------------------

-- Days that the site keeps something; the default stands in the table of settings too. Never less than a week.
CREATE FUNCTION qvd_kept_days(setting text) RETURNS int LANGUAGE sql STABLE AS $$
  SELECT greatest(7, least(36500, coalesce((SELECT (value #>> '{}')::numeric FROM settings
    WHERE tenant_id = -1 AND name = setting AND value #>> '{}' ~ '^[0-9]{1,5}$'), 400)))::int
$$;

-- No role may delete from a log. The node calls this now and then: what is older than the site's settings say goes,
-- the oldest first, a bounded number of rows a call. It returns how many went. A role can move `qvd_now()` for its
-- own sessions, so that counts only where it looks back.
CREATE FUNCTION qvd_sweep_history(most int) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  today timestamptz := least(qvd_now(), clock_timestamp());
  rows int := least(greatest(most, 1), 10000);
  gone bigint;
  all_gone bigint := 0;
BEGIN
  -- One box at a time; the others have nothing to add.
  IF NOT pg_try_advisory_xact_lock(hashtext('qvd history')) THEN RETURN 0; END IF;
  DELETE FROM sessions s USING (SELECT id FROM sessions ORDER BY id LIMIT rows) old
    WHERE s.id = old.id AND coalesce(s.ended_at, s.superseded_at) < today - make_interval(days => qvd_kept_days('history.sessions.days'));
  GET DIAGNOSTICS gone = ROW_COUNT;
  all_gone := all_gone + gone;
  DELETE FROM vm_events e USING (SELECT id FROM vm_events ORDER BY id LIMIT rows) old
    WHERE e.id = old.id AND e.at < today - make_interval(days => qvd_kept_days('history.trail.days'));
  GET DIAGNOSTICS gone = ROW_COUNT;
  all_gone := all_gone + gone;
  DELETE FROM audit_log a USING (SELECT id FROM audit_log ORDER BY id LIMIT rows) old
    WHERE a.id = old.id AND a.at < today - make_interval(days => qvd_kept_days('history.audit.days'));
  GET DIAGNOSTICS gone = ROW_COUNT;
  RETURN all_gone + gone;
END $$;
REVOKE ALL ON FUNCTION qvd_kept_days(text), qvd_sweep_history(int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION qvd_sweep_history(int) TO qvd_node;

-- Second factors, tokens, and codes that unlock a screen ---------------------------------------------------

-- What an authenticator app of somebody shares with the site; sealed by auth, which alone opens it. `last_step` is
-- the time step of the code accepted last: none up to it is accepted again.
CREATE TABLE second_factors (
  id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  user_id int UNIQUE REFERENCES users ON DELETE CASCADE,
  administrator_id int UNIQUE REFERENCES administrators ON DELETE CASCADE,
  sealed_secret bytea NOT NULL,
  last_step bigint NOT NULL,
  created_at timestamptz NOT NULL DEFAULT qvd_now(),
  CHECK (num_nonnulls(user_id, administrator_id) = 1)
);
-- Each good once; a used one stays, so that its time can be told.
CREATE TABLE recovery_codes (
  second_factor_id int NOT NULL REFERENCES second_factors ON DELETE CASCADE,
  code_hash bytea NOT NULL,
  used_at timestamptz,
  PRIMARY KEY (second_factor_id, code_hash)
);
-- Bearer tokens of users; the token itself is only with its owner.
CREATE TABLE user_tokens (
  id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  token_hash bytea NOT NULL UNIQUE,
  user_id int NOT NULL REFERENCES users ON DELETE CASCADE,
  -- Opens this desktop and no other; null for all of the user's.
  vm_id int REFERENCES vms ON DELETE CASCADE,
  is_multi_use boolean NOT NULL,
  origin text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT qvd_now(),
  expires_at timestamptz NOT NULL,
  used_at timestamptz,
  revoked_at timestamptz
);
CREATE INDEX user_tokens_user ON user_tokens (user_id, id);
CREATE INDEX user_tokens_expiry ON user_tokens (expires_at);
-- For those who have no password to unlock their desktop's screen with: one a user, good once, for two minutes.
CREATE TABLE unlock_codes (
  user_id int PRIMARY KEY REFERENCES users ON DELETE CASCADE,
  code_hash bytea NOT NULL,
  expires_at timestamptz NOT NULL
);
GRANT SELECT, INSERT, DELETE ON second_factors, recovery_codes, user_tokens, unlock_codes TO qvd_auth;
GRANT UPDATE (last_step) ON second_factors TO qvd_auth;
GRANT UPDATE (used_at) ON recovery_codes, user_tokens TO qvd_auth;
GRANT UPDATE (code_hash, expires_at) ON unlock_codes TO qvd_auth;
GRANT SELECT (id, user_id, administrator_id, created_at), DELETE ON second_factors TO qvd_admin;
GRANT SELECT (second_factor_id, used_at) ON recovery_codes TO qvd_admin;
GRANT SELECT (id, user_id, vm_id, is_multi_use, origin, created_at, expires_at, used_at, revoked_at), UPDATE (revoked_at)
  ON user_tokens TO qvd_admin;
GRANT INSERT ON audit_log TO qvd_auth;
-- The provider (issuer) whose groups say what an administrator may do; null for one who was created here.
ALTER TABLE administrators ADD COLUMN provider text;
GRANT INSERT (tenant_id, login, provider) ON administrators TO qvd_auth;
GRANT SELECT ON roles, administrator_roles TO qvd_auth;
GRANT INSERT, DELETE ON administrator_roles TO qvd_auth;

-- Signing in ----------------------------------------------------------------------------------------------

-- The policy of a tenant may ask for properties of a user.
GRANT SELECT ON properties TO qvd_auth;
-- A hash of QVD 4 is replaced by one of today when its owner signs in.
GRANT UPDATE (password_hash, changed_at) ON user_credentials, administrator_credentials TO qvd_auth;
-- Whom a directory proves may be given the account and desktop that they lack.
GRANT SELECT ON osfs, vms TO qvd_auth;
GRANT INSERT (tenant_id, login, full_name), UPDATE (full_name) ON users TO qvd_auth;
GRANT INSERT (tenant_id, user_id, osf_id, di_tag, name, address, id_slot) ON vms TO qvd_auth;

-- A thousand starts a second --------------------------------------------------------------------------------

-- The moment at which the statement came, not that of each call: so the planner can write it into the statement's
-- own text, where it costs a tenth. Never later than the clock, so a lease is renewed and judged on the safe side.
CREATE OR REPLACE FUNCTION qvd_now() RETURNS timestamptz LANGUAGE sql STABLE AS
$$ SELECT coalesce(nullif(current_setting('qvd.now', true), '')::timestamptz, statement_timestamp()) $$;

-- A wish changes no column that an index knows, unless the desktop waits for a node: so the row is changed in place,
-- without a word to seven indexes.
DROP INDEX vms_unplaced, vms_unplaced_deleted;
ALTER TABLE vms SET (fillfactor = 70);
ALTER TABLE vms ADD COLUMN needs_node boolean NOT NULL
  GENERATED ALWAYS AS (node_id IS NULL AND (wish = 'running' OR deleted_at IS NOT NULL)) STORED;
CREATE INDEX vms_needs_node ON vms (id) WHERE needs_node;
ALTER TABLE vm_reports SET (fillfactor = 70);
ALTER TABLE leases SET (fillfactor = 50);
ALTER TABLE node_reports SET (fillfactor = 50);

-- Each line of the trail looked for its desktop and its node, and locked their rows; each start locked the row of the
-- one image, each wish that of the one tenant. Lines are written of desktops just read; their end takes them along.
ALTER TABLE vm_events DROP CONSTRAINT vm_events_vm_id_fkey, DROP CONSTRAINT vm_events_node_id_fkey;
ALTER TABLE audit_log DROP CONSTRAINT audit_log_tenant_id_fkey;
ALTER TABLE vm_reports DROP CONSTRAINT vm_reports_di_id_fkey;
CREATE FUNCTION qvd_forget_vm() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  DELETE FROM vm_events WHERE vm_id = OLD.id;
  RETURN NULL;
END $$;
CREATE TRIGGER forget_vm AFTER DELETE ON vms FOR EACH ROW EXECUTE FUNCTION qvd_forget_vm();
CREATE FUNCTION qvd_forget_di() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  UPDATE vm_reports SET di_id = NULL WHERE di_id = OLD.id;
  RETURN NULL;
END $$;
CREATE TRIGGER forget_di AFTER DELETE ON dis FOR EACH ROW EXECUTE FUNCTION qvd_forget_di();
REVOKE ALL ON FUNCTION qvd_forget_vm(), qvd_forget_di() FROM PUBLIC;

-- A node's few statements are planned once for each connection, so the plan must be one for any values, and none made for
-- tables that were empty then: through an index wherever there is one. That is done by a fabulous cost, at which
-- PostgreSQL would have the plan compiled: 600 ms for a statement of 0.1. Told with each statement, these cost a tenth
-- of all. The role belongs to the cluster, so another database of it may just be saying the same.
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'qvd_node' AND rolconfig @> ARRAY['jit=off']) THEN
    ALTER ROLE qvd_node SET plan_cache_mode = 'force_generic_plan';
    ALTER ROLE qvd_node SET enable_seqscan = 'off';
    ALTER ROLE qvd_node SET jit = 'off';
  END IF;
EXCEPTION WHEN insufficient_privilege OR internal_error THEN
  RAISE NOTICE 'qvd_node keeps its settings: %', SQLERRM;
END $$;

-- Browsers ------------------------------------------------------------------------------------------------

-- Users signed in by browser on the port of the clients. The broker's workers share them, those of other boxes too.
CREATE TABLE user_web_sessions (
  token_hash bytea PRIMARY KEY,
  user_id int NOT NULL REFERENCES users ON DELETE CASCADE,
  csrf_token text NOT NULL,
  -- What the authenticator gives the person's desktops.
  parameters jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT qvd_now(),
  seen_at timestamptz NOT NULL DEFAULT qvd_now(),
  expires_at timestamptz NOT NULL
);
CREATE INDEX user_web_sessions_expiry ON user_web_sessions (expires_at);
CREATE INDEX user_web_sessions_user ON user_web_sessions (user_id);
-- Opens one desktop once; deleted when used.
CREATE TABLE user_web_tickets (
  ticket_hash bytea PRIMARY KEY,
  session_hash bytea NOT NULL REFERENCES user_web_sessions ON DELETE CASCADE,
  vm_id int NOT NULL REFERENCES vms ON DELETE CASCADE,
  expires_at timestamptz NOT NULL
);
CREATE INDEX user_web_tickets_expiry ON user_web_tickets (expires_at);
GRANT SELECT, INSERT, DELETE ON user_web_sessions, user_web_tickets TO qvd_broker;
GRANT UPDATE (seen_at) ON user_web_sessions TO qvd_broker;
-- A new password ends what the old one has opened.
GRANT SELECT (user_id), DELETE ON user_web_sessions TO qvd_admin;
