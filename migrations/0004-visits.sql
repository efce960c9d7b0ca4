-- Who looks at a screen that is not their own, and people at the console of a machine.

-- People work at the screen of the machine itself: their way in where there is no agent of ours.
ALTER TABLE osfs ADD COLUMN offers_console boolean NOT NULL DEFAULT false;
GRANT SELECT (hypervisor, has_agent, offers_console) ON osfs TO qvd_broker;
ALTER TABLE sessions DROP CONSTRAINT sessions_access_check;
ALTER TABLE sessions ADD CONSTRAINT sessions_access_check CHECK (access IN ('nx', 'browser', 'console'));

CREATE TABLE visits (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  -- console: an administrator at the screen of a machine. watch: somebody at a session of somebody else's.
  kind text NOT NULL CHECK (kind IN ('console', 'watch')),
  vm_id int NOT NULL REFERENCES vms ON DELETE CASCADE,
  session_id bigint REFERENCES sessions ON DELETE CASCADE,
  asked_by text NOT NULL,
  asked_at timestamptz NOT NULL DEFAULT qvd_now(),
  -- Null until an invited person comes.
  visitor text,
  may_control boolean NOT NULL,
  needs_consent boolean NOT NULL,
  ticket_hash bytea UNIQUE,
  ticket_expires_at timestamptz NOT NULL,
  -- Opens the console at its node. A broker can't write it, so none of them can open one by itself.
  console_key text,
  began_at timestamptz,
  admitted_at timestamptz,
  ended_at timestamptz,
  end_cause text,
  CHECK ((kind = 'watch') = (session_id IS NOT NULL)),
  CHECK ((kind = 'console') = (console_key IS NOT NULL))
);
-- A broker that was taken over opens nothing again that is over, and brings no ticket after its time.
-- By the true clock: qvd_now() says what the asker's connection was set to.
CREATE FUNCTION qvd_keep_visit() RETURNS trigger LANGUAGE plpgsql
  SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  IF OLD.ended_at IS NOT NULL THEN
    RAISE EXCEPTION 'visit % is over and can''t change', OLD.id;
  END IF;
  IF NEW.began_at IS DISTINCT FROM OLD.began_at
      AND (OLD.began_at IS NOT NULL OR OLD.ticket_expires_at <= clock_timestamp()) THEN
    RAISE EXCEPTION 'visit % can''t begin: it has begun, or its ticket is too old', OLD.id;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER keep_visit BEFORE UPDATE ON visits FOR EACH ROW EXECUTE FUNCTION qvd_keep_visit();
CREATE INDEX visits_session ON visits (session_id);
CREATE INDEX visits_vm ON visits (vm_id);
GRANT SELECT ON visits TO qvd_broker, qvd_admin, qvd_node;
GRANT INSERT (kind, vm_id, session_id, asked_by, visitor, may_control, needs_consent, ticket_hash, ticket_expires_at, console_key),
  DELETE ON visits TO qvd_admin;
GRANT INSERT (kind, vm_id, session_id, asked_by, may_control, needs_consent, ticket_hash, ticket_expires_at) ON visits TO qvd_broker;
GRANT UPDATE (visitor, ticket_hash, began_at, admitted_at, ended_at, end_cause) ON visits TO qvd_broker;
