-- The front door: every client, every way of proving who one is.

-- Sessions ------------------------------------------------------------------------------------------------

-- What shows the desktop: an NX client, or a browser by way of the gateway.
ALTER TABLE sessions ADD COLUMN access text NOT NULL DEFAULT 'nx' CHECK (access IN ('nx', 'browser'));
GRANT INSERT (access) ON sessions TO qvd_broker;

CREATE INDEX sessions_user ON sessions (user_id, id DESC);

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
