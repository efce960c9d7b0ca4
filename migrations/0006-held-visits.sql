-- A visit lasts as long as the right to it, and a broker's role can neither begin nor admit one by itself.

-- By whose right somebody visits; null for the invited, who come by that of the session's owner. No foreign key: who was
-- removed is known by not being found.
ALTER TABLE visits ADD COLUMN administrator_id int;
-- The administrator's sign-in; when it was to run out, since one that is gone before its time was ended by somebody.
ALTER TABLE visits ADD COLUMN sign_in_hash bytea;
ALTER TABLE visits ADD COLUMN sign_in_expires_at timestamptz;
-- Of a console: it is over as soon as the machine's person comes to it, who can't be asked there.
ALTER TABLE visits ADD COLUMN is_yielding boolean NOT NULL DEFAULT false;
GRANT INSERT (administrator_id, sign_in_hash, sign_in_expires_at, is_yielding) ON visits TO qvd_admin;

-- What no broker and no node may read of administrators otherwise: of whose visit it is, what rights they have now. No
-- row for one who is blocked or gone.
CREATE FUNCTION qvd_visit_asker(visit bigint)
  RETURNS TABLE (administrator_id int, tenant_id int, login text, tenant_name text, acls text[], is_signed_out boolean)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT a.id, a.tenant_id, a.login, t.name,
    ARRAY(SELECT DISTINCT r.acl FROM administrator_roles ar JOIN role_acls r ON r.role_id = ar.role_id
      WHERE ar.administrator_id = a.id),
    v.sign_in_hash IS NOT NULL AND v.sign_in_expires_at > qvd_now()
      AND NOT EXISTS (SELECT FROM administrator_sessions s WHERE s.token_hash = v.sign_in_hash)
  FROM visits v JOIN administrators a ON a.id = v.administrator_id JOIN tenants t ON t.id = a.tenant_id
  WHERE v.id = visit AND NOT a.is_blocked AND NOT t.is_blocked
$$;

-- Uses up a ticket: for whoever brings it, an invitation's only with a person of the desktop's tenant. So a broker begins
-- what somebody brought it and nothing else, and learns a console's key in no other way.
CREATE FUNCTION qvd_begin_visit(ticket text, person int)
  RETURNS TABLE (id bigint, vm_id int, asked_by text, visitor text, console_key text)
  LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  UPDATE visits v SET ticket_hash = NULL, began_at = clock_timestamp(),
    admitted_at = CASE WHEN v.needs_consent THEN v.admitted_at ELSE clock_timestamp() END,
    visitor = CASE WHEN v.asked_by LIKE 'user:%' THEN (SELECT u.login FROM users u WHERE u.id = person) ELSE coalesce(v.visitor, '') END
  FROM vms
  WHERE vms.id = v.vm_id AND v.ticket_hash = sha256(convert_to(ticket, 'UTF8')) AND v.ticket_expires_at > clock_timestamp()
    AND v.began_at IS NULL AND v.ended_at IS NULL
    AND (v.asked_by NOT LIKE 'user:%' OR EXISTS (SELECT FROM users u WHERE u.id = person AND u.tenant_id = vms.tenant_id AND NOT u.is_blocked))
  RETURNING v.id, v.vm_id, v.asked_by, v.visitor, v.console_key
$$;

-- The word of the person at the session. It is taken for somebody who came and asks, at a session that is open, within
-- the minutes that a question stands; and never without its row in the audit log, in the name of the desktop's owner.
CREATE FUNCTION qvd_admit_visit(visit bigint, said_from text) RETURNS boolean
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  UPDATE visits v SET admitted_at = clock_timestamp() FROM sessions s
    WHERE v.id = visit AND s.id = v.session_id AND v.admitted_at IS NULL AND v.ended_at IS NULL
      AND v.began_at > clock_timestamp() - interval '5 minutes'
      AND s.connected_at IS NOT NULL AND s.ended_at IS NULL AND s.superseded_at IS NULL;
  IF NOT FOUND THEN RETURN false; END IF;
  INSERT INTO audit_log (tenant_id, actor, origin, action, subject_kind, subject_id, subject_name, detail)
    SELECT vms.tenant_id, 'user:' || u.login || '@' || t.name, said_from, 'session.admit', 'vm', vms.id, vms.name,
      jsonb_build_object('visitId', v.id)
    FROM visits v JOIN vms ON vms.id = v.vm_id JOIN users u ON u.id = vms.user_id JOIN tenants t ON t.id = vms.tenant_id
    WHERE v.id = visit;
  RETURN true;
END $$;

-- A ticket ends with its visit, whoever ends it.
CREATE OR REPLACE FUNCTION qvd_keep_visit() RETURNS trigger LANGUAGE plpgsql
  SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  IF OLD.ended_at IS NOT NULL THEN
    RAISE EXCEPTION 'visit % is over and can''t change', OLD.id;
  END IF;
  IF NEW.began_at IS DISTINCT FROM OLD.began_at
      AND (OLD.began_at IS NOT NULL OR OLD.ticket_expires_at <= clock_timestamp()) THEN
    RAISE EXCEPTION 'visit % can''t begin: it has begun, or its ticket is too old', OLD.id;
  END IF;
  IF NEW.ended_at IS NOT NULL THEN NEW.ticket_hash := NULL; END IF;
  RETURN NEW;
END $$;

REVOKE ALL ON FUNCTION qvd_visit_asker(bigint), qvd_begin_visit(text, int), qvd_admit_visit(bigint, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION qvd_visit_asker(bigint) TO qvd_broker, qvd_node;
GRANT EXECUTE ON FUNCTION qvd_begin_visit(text, int), qvd_admit_visit(bigint, text) TO qvd_broker;
REVOKE UPDATE (visitor, ticket_hash, began_at, admitted_at) ON visits FROM qvd_broker;
REVOKE SELECT ON visits FROM qvd_broker;
GRANT SELECT (id, kind, vm_id, session_id, asked_by, asked_at, visitor, may_control, needs_consent, ticket_expires_at,
  administrator_id, is_yielding, began_at, admitted_at, ended_at, end_cause) ON visits TO qvd_broker;
