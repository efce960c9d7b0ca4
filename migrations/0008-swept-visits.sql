-- Visits that are over go with the rest of what is forgotten, whether or not anybody opens another: a day after their
-- end, or after a ticket that nobody used. One whose end nobody wrote goes after thirty.
CREATE OR REPLACE FUNCTION qvd_sweep_history(most int) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
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
  all_gone := all_gone + gone;
  DELETE FROM visits v USING (SELECT id FROM visits ORDER BY id LIMIT rows) old
    WHERE v.id = old.id AND (v.asked_at < today - interval '30 days'
      OR coalesce(v.ended_at, CASE WHEN v.began_at IS NULL THEN v.ticket_expires_at END) < today - interval '1 day');
  GET DIAGNOSTICS gone = ROW_COUNT;
  RETURN all_gone + gone;
END $$;
