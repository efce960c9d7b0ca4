-- Made by `bun test/support/update-schema-dump.ts` from the migrations; a test compares.
CREATE FUNCTION public.qvd_admit_visit(visit bigint, said_from text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
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

CREATE FUNCTION public.qvd_begin_visit(ticket text, person integer) RETURNS TABLE(id bigint, vm_id integer, asked_by text, visitor text, console_key text)
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
  UPDATE visits v SET ticket_hash = NULL, began_at = clock_timestamp(),
    admitted_at = CASE WHEN v.needs_consent THEN v.admitted_at ELSE clock_timestamp() END,
    visitor = CASE WHEN v.asked_by LIKE 'user:%' THEN (SELECT u.login FROM users u WHERE u.id = person) ELSE coalesce(v.visitor, '') END
  FROM vms
  WHERE vms.id = v.vm_id AND v.ticket_hash = sha256(convert_to(ticket, 'UTF8')) AND v.ticket_expires_at > clock_timestamp()
    AND v.began_at IS NULL AND v.ended_at IS NULL
    AND (v.asked_by NOT LIKE 'user:%' OR EXISTS (SELECT FROM users u WHERE u.id = person AND u.tenant_id = vms.tenant_id AND NOT u.is_blocked))
  RETURNING v.id, v.vm_id, v.asked_by, v.visitor, v.console_key
$$;

CREATE FUNCTION public.qvd_forget_di() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
BEGIN
  UPDATE vm_reports SET di_id = NULL WHERE di_id = OLD.id;
  RETURN NULL;
END $$;

CREATE FUNCTION public.qvd_forget_vm() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
BEGIN
  DELETE FROM vm_events WHERE vm_id = OLD.id;
  RETURN NULL;
END $$;

CREATE FUNCTION public.qvd_keep_visit() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
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

CREATE FUNCTION public.qvd_kept_days(setting text) RETURNS integer
    LANGUAGE sql STABLE
    AS $_$
  SELECT greatest(7, least(36500, coalesce((SELECT (value #>> '{}')::numeric FROM settings
    WHERE tenant_id = -1 AND name = setting AND value #>> '{}' ~ '^[0-9]{1,5}$'), 400)))::int
$_$;

CREATE FUNCTION public.qvd_now() RETURNS timestamp with time zone
    LANGUAGE sql STABLE
    AS $$ SELECT coalesce(nullif(current_setting('qvd.now', true), '')::timestamptz, statement_timestamp()) $$;

CREATE FUNCTION public.qvd_sweep_history(most integer) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
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

CREATE FUNCTION public.qvd_visit_asker(visit bigint) RETURNS TABLE(administrator_id integer, tenant_id integer, login text, tenant_name text, acls text[], is_signed_out boolean)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
  SELECT a.id, a.tenant_id, a.login, t.name,
    ARRAY(SELECT DISTINCT r.acl FROM administrator_roles ar JOIN role_acls r ON r.role_id = ar.role_id
      WHERE ar.administrator_id = a.id),
    v.sign_in_hash IS NOT NULL AND v.sign_in_expires_at > qvd_now()
      AND NOT EXISTS (SELECT FROM administrator_sessions s WHERE s.token_hash = v.sign_in_hash)
  FROM visits v JOIN administrators a ON a.id = v.administrator_id JOIN tenants t ON t.id = a.tenant_id
  WHERE v.id = visit AND NOT a.is_blocked AND NOT t.is_blocked
$$;

CREATE TABLE public.administrator_credentials (
    administrator_id integer NOT NULL,
    password_hash text NOT NULL,
    changed_at timestamp with time zone DEFAULT public.qvd_now() NOT NULL
);

CREATE TABLE public.administrator_roles (
    administrator_id integer NOT NULL,
    role_id integer NOT NULL
);

CREATE TABLE public.administrator_sessions (
    token_hash bytea NOT NULL,
    administrator_id integer NOT NULL,
    csrf_token text NOT NULL,
    created_at timestamp with time zone DEFAULT public.qvd_now() NOT NULL,
    seen_at timestamp with time zone DEFAULT public.qvd_now() NOT NULL,
    expires_at timestamp with time zone NOT NULL
);

CREATE TABLE public.administrators (
    id integer NOT NULL,
    tenant_id integer DEFAULT 0 NOT NULL,
    login text NOT NULL,
    is_blocked boolean DEFAULT false NOT NULL,
    created_at timestamp with time zone DEFAULT public.qvd_now() NOT NULL,
    provider text,
    CONSTRAINT administrators_login_check CHECK (((login <> ''::text) AND (login = btrim(login)))),
    CONSTRAINT administrators_tenant_id_check CHECK ((tenant_id >= 0))
);

ALTER TABLE public.administrators ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.administrators_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.audit_log (
    id bigint NOT NULL,
    at timestamp with time zone DEFAULT public.qvd_now() NOT NULL,
    tenant_id integer,
    actor text NOT NULL,
    origin text,
    action text NOT NULL,
    subject_kind text NOT NULL,
    subject_id bigint,
    subject_name text,
    detail jsonb
);

ALTER TABLE public.audit_log ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.audit_log_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.di_tags (
    osf_id integer NOT NULL,
    tag text NOT NULL,
    di_id integer NOT NULL,
    is_fixed boolean DEFAULT false NOT NULL,
    moved_at timestamp with time zone DEFAULT public.qvd_now() NOT NULL,
    CONSTRAINT di_tags_tag_check CHECK ((tag ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$'::text))
);

CREATE TABLE public.dis (
    id integer NOT NULL,
    osf_id integer NOT NULL,
    version text NOT NULL,
    file_name text NOT NULL,
    stated_sha256 text,
    is_blocked boolean DEFAULT false NOT NULL,
    created_at timestamp with time zone DEFAULT public.qvd_now() NOT NULL,
    state text DEFAULT 'new'::text NOT NULL,
    state_at timestamp with time zone DEFAULT public.qvd_now() NOT NULL,
    fault text,
    size_bytes bigint,
    sha256 text,
    kind text DEFAULT 'archive'::text NOT NULL,
    source_url text,
    published_at timestamp with time zone,
    retired_at timestamp with time zone,
    done_bytes bigint,
    total_bytes bigint,
    CONSTRAINT dis_file_name_check CHECK ((file_name ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$'::text)),
    CONSTRAINT dis_kind_check CHECK ((kind = ANY (ARRAY['archive'::text, 'disk'::text]))),
    CONSTRAINT dis_state_check CHECK ((state = ANY (ARRAY['new'::text, 'fetching'::text, 'verifying'::text, 'ready'::text, 'failed'::text]))),
    CONSTRAINT dis_stated_sha256_check CHECK ((stated_sha256 ~ '^[0-9a-f]{64}$'::text)),
    CONSTRAINT dis_version_check CHECK ((version ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$'::text))
);

ALTER TABLE public.dis ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.dis_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.join_codes (
    id text NOT NULL,
    sealed bytea NOT NULL,
    created_at timestamp with time zone DEFAULT public.qvd_now() NOT NULL,
    created_by text NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone,
    used_by text,
    CONSTRAINT join_codes_id_check CHECK ((id ~ '^[A-Za-z0-9_-]{8,64}$'::text))
);

CREATE TABLE public.leases (
    node_id integer NOT NULL,
    epoch bigint DEFAULT 1 NOT NULL,
    renewed_at timestamp with time zone DEFAULT public.qvd_now() NOT NULL,
    valid_until timestamp with time zone NOT NULL,
    lost_at timestamp with time zone,
    fences boolean DEFAULT false NOT NULL
)
WITH (fillfactor='50');

CREATE TABLE public.node_reports (
    node_id integer NOT NULL,
    state text NOT NULL,
    facts jsonb NOT NULL,
    started_at timestamp with time zone NOT NULL,
    reported_at timestamp with time zone DEFAULT public.qvd_now() NOT NULL,
    CONSTRAINT node_reports_state_check CHECK ((state = ANY (ARRAY['starting'::text, 'running'::text, 'stopping'::text, 'stopped'::text])))
)
WITH (fillfactor='50');

CREATE TABLE public.node_wakes (
    node_id integer NOT NULL,
    count bigint DEFAULT 0 NOT NULL
)
WITH (fillfactor='50');

CREATE TABLE public.nodes (
    id integer NOT NULL,
    name text NOT NULL,
    is_blocked boolean DEFAULT false NOT NULL,
    created_at timestamp with time zone DEFAULT public.qvd_now() NOT NULL,
    box_id text,
    address text,
    shared_id text,
    drain text,
    drained_at timestamp with time zone,
    weight real DEFAULT 1 NOT NULL,
    strangers_to_end integer[] DEFAULT '{}'::integer[] NOT NULL,
    CONSTRAINT nodes_drain_check CHECK ((drain = ANY (ARRAY['finish'::text, 'move'::text]))),
    CONSTRAINT nodes_weight_check CHECK (((weight >= (0)::double precision) AND (weight <= (100)::double precision)))
);

ALTER TABLE public.nodes ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.nodes_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.osfs (
    id integer NOT NULL,
    tenant_id integer NOT NULL,
    name text NOT NULL,
    memory_mb integer DEFAULT 1024 NOT NULL,
    cpus real DEFAULT 2 NOT NULL,
    created_at timestamp with time zone DEFAULT public.qvd_now() NOT NULL,
    hypervisor text DEFAULT 'lxc'::text NOT NULL,
    persistence text DEFAULT 'home'::text NOT NULL,
    kept_folders text[] DEFAULT '{}'::text[] NOT NULL,
    home_mb integer,
    system_mb integer,
    idle_stop_seconds integer,
    on_crash text DEFAULT 'restart'::text NOT NULL,
    allows_neighbours boolean DEFAULT false NOT NULL,
    has_agent boolean DEFAULT true NOT NULL,
    expiry_soft_seconds integer,
    expiry_hard_seconds integer,
    is_application boolean DEFAULT false NOT NULL,
    program text,
    offers_console boolean DEFAULT false NOT NULL,
    CONSTRAINT osfs_check CHECK (((program IS NULL) OR (is_application AND ((length(program) >= 1) AND (length(program) <= 1024))))),
    CONSTRAINT osfs_cpus_check CHECK (((cpus >= (0.1)::double precision) AND (cpus <= (256)::double precision))),
    CONSTRAINT osfs_expiry_hard_seconds_check CHECK ((expiry_hard_seconds >= 0)),
    CONSTRAINT osfs_expiry_soft_seconds_check CHECK ((expiry_soft_seconds >= 0)),
    CONSTRAINT osfs_home_mb_check CHECK (((home_mb >= 16) AND (home_mb <= 16777216))),
    CONSTRAINT osfs_hypervisor_check CHECK ((hypervisor = ANY (ARRAY['lxc'::text, 'kvm'::text]))),
    CONSTRAINT osfs_idle_stop_seconds_check CHECK (((idle_stop_seconds >= 0) AND (idle_stop_seconds <= 31536000))),
    CONSTRAINT osfs_memory_mb_check CHECK (((memory_mb >= 64) AND (memory_mb <= 1048576))),
    CONSTRAINT osfs_name_check CHECK (((name <> ''::text) AND (name = btrim(name)))),
    CONSTRAINT osfs_on_crash_check CHECK ((on_crash = ANY (ARRAY['leave'::text, 'restart'::text]))),
    CONSTRAINT osfs_persistence_check CHECK ((persistence = ANY (ARRAY['nothing'::text, 'home'::text, 'folders'::text, 'everything'::text]))),
    CONSTRAINT osfs_system_mb_check CHECK (((system_mb >= 16) AND (system_mb <= 16777216))),
    CONSTRAINT osfs_tenant_id_check CHECK ((tenant_id > 0))
);

ALTER TABLE public.osfs ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.osfs_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.properties (
    id integer NOT NULL,
    user_id integer,
    vm_id integer,
    node_id integer,
    osf_id integer,
    di_id integer,
    key text NOT NULL,
    value text NOT NULL,
    CONSTRAINT properties_check CHECK ((num_nonnulls(user_id, vm_id, node_id, osf_id, di_id) = 1)),
    CONSTRAINT properties_key_check CHECK ((key ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$'::text)),
    CONSTRAINT properties_value_check CHECK ((length(value) <= 4096))
);

ALTER TABLE public.properties ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.properties_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.recovery_codes (
    second_factor_id integer NOT NULL,
    code_hash bytea NOT NULL,
    used_at timestamp with time zone
);

CREATE TABLE public.role_acls (
    role_id integer NOT NULL,
    acl text NOT NULL
);

CREATE TABLE public.roles (
    id integer NOT NULL,
    name text NOT NULL,
    description text DEFAULT ''::text NOT NULL
);

ALTER TABLE public.roles ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.roles_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.schema_migrations (
    number integer NOT NULL,
    name text NOT NULL,
    applied_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

CREATE TABLE public.second_factors (
    id integer NOT NULL,
    user_id integer,
    administrator_id integer,
    sealed_secret bytea NOT NULL,
    last_step bigint NOT NULL,
    created_at timestamp with time zone DEFAULT public.qvd_now() NOT NULL,
    CONSTRAINT second_factors_check CHECK ((num_nonnulls(user_id, administrator_id) = 1))
);

ALTER TABLE public.second_factors ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.second_factors_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.sessions (
    id bigint NOT NULL,
    vm_id integer NOT NULL,
    user_id integer NOT NULL,
    requested_at timestamp with time zone DEFAULT public.qvd_now() NOT NULL,
    client jsonb NOT NULL,
    slave_key text NOT NULL,
    client_address text,
    broker_node_id integer,
    broker_worker text NOT NULL,
    superseded_at timestamp with time zone,
    end_wished_at timestamp with time zone,
    end_wished_by text,
    state text DEFAULT 'requested'::text NOT NULL,
    state_at timestamp with time zone DEFAULT public.qvd_now() NOT NULL,
    address inet,
    port integer,
    fault_code text,
    fault_text text,
    connected_at timestamp with time zone,
    ended_at timestamp with time zone,
    end_cause text,
    bytes_to_client bigint DEFAULT 0 NOT NULL,
    bytes_from_client bigint DEFAULT 0 NOT NULL,
    access text DEFAULT 'nx'::text NOT NULL,
    parameters jsonb DEFAULT '{}'::jsonb NOT NULL,
    ends_at timestamp with time zone,
    CONSTRAINT sessions_access_check CHECK ((access = ANY (ARRAY['nx'::text, 'browser'::text, 'console'::text]))),
    CONSTRAINT sessions_state_check CHECK ((state = ANY (ARRAY['requested'::text, 'preparing'::text, 'listening'::text, 'failed'::text])))
);

ALTER TABLE public.sessions ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.sessions_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.settings (
    tenant_id integer DEFAULT '-1'::integer NOT NULL,
    name text NOT NULL,
    value jsonb NOT NULL,
    changed_at timestamp with time zone DEFAULT public.qvd_now() NOT NULL
);

CREATE TABLE public.sign_in_marks (
    id text NOT NULL,
    lane text NOT NULL,
    key text NOT NULL,
    failures integer NOT NULL,
    last_at timestamp with time zone DEFAULT public.qvd_now() NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    CONSTRAINT sign_in_marks_failures_check CHECK ((failures >= 0)),
    CONSTRAINT sign_in_marks_lane_check CHECK ((lane = ANY (ARRAY['pair'::text, 'account'::text, 'address'::text, 'code'::text, 'proved'::text])))
);

CREATE TABLE public.tenants (
    id integer NOT NULL,
    name text NOT NULL,
    is_blocked boolean DEFAULT false NOT NULL,
    created_at timestamp with time zone DEFAULT public.qvd_now() NOT NULL,
    CONSTRAINT tenants_name_check CHECK ((name ~ '^[^@#[:space:]]{1,64}$'::text))
);

ALTER TABLE public.tenants ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.tenants_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.unlock_codes (
    user_id integer NOT NULL,
    code_hash bytea NOT NULL,
    expires_at timestamp with time zone NOT NULL
);

CREATE TABLE public.user_credentials (
    user_id integer NOT NULL,
    password_hash text NOT NULL,
    changed_at timestamp with time zone DEFAULT public.qvd_now() NOT NULL
);

CREATE TABLE public.user_tokens (
    id integer NOT NULL,
    token_hash bytea NOT NULL,
    user_id integer NOT NULL,
    vm_id integer,
    is_multi_use boolean NOT NULL,
    origin text NOT NULL,
    created_at timestamp with time zone DEFAULT public.qvd_now() NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone,
    revoked_at timestamp with time zone,
    parameters jsonb DEFAULT '{}'::jsonb NOT NULL
);

ALTER TABLE public.user_tokens ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.user_tokens_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.user_web_sessions (
    token_hash bytea NOT NULL,
    user_id integer NOT NULL,
    csrf_token text NOT NULL,
    parameters jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT public.qvd_now() NOT NULL,
    seen_at timestamp with time zone DEFAULT public.qvd_now() NOT NULL,
    expires_at timestamp with time zone NOT NULL
);

CREATE TABLE public.user_web_tickets (
    ticket_hash bytea NOT NULL,
    session_hash bytea NOT NULL,
    vm_id integer NOT NULL,
    expires_at timestamp with time zone NOT NULL
);

CREATE TABLE public.users (
    id integer NOT NULL,
    tenant_id integer NOT NULL,
    login text NOT NULL,
    full_name text DEFAULT ''::text NOT NULL,
    is_blocked boolean DEFAULT false NOT NULL,
    created_at timestamp with time zone DEFAULT public.qvd_now() NOT NULL,
    CONSTRAINT users_login_check CHECK (((login <> ''::text) AND (login = btrim(login)))),
    CONSTRAINT users_tenant_id_check CHECK ((tenant_id > 0))
);

ALTER TABLE public.users ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.users_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.visits (
    id bigint NOT NULL,
    kind text NOT NULL,
    vm_id integer NOT NULL,
    session_id bigint,
    asked_by text NOT NULL,
    asked_at timestamp with time zone DEFAULT public.qvd_now() NOT NULL,
    visitor text,
    may_control boolean NOT NULL,
    needs_consent boolean NOT NULL,
    ticket_hash bytea,
    ticket_expires_at timestamp with time zone NOT NULL,
    console_key text,
    began_at timestamp with time zone,
    admitted_at timestamp with time zone,
    ended_at timestamp with time zone,
    end_cause text,
    administrator_id integer,
    sign_in_hash bytea,
    sign_in_expires_at timestamp with time zone,
    is_yielding boolean DEFAULT false NOT NULL,
    CONSTRAINT visits_check CHECK (((kind = 'watch'::text) = (session_id IS NOT NULL))),
    CONSTRAINT visits_check1 CHECK (((kind = 'console'::text) = (console_key IS NOT NULL))),
    CONSTRAINT visits_kind_check CHECK ((kind = ANY (ARRAY['console'::text, 'watch'::text])))
);

ALTER TABLE public.visits ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.visits_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.vm_events (
    id bigint NOT NULL,
    vm_id integer NOT NULL,
    at timestamp with time zone DEFAULT public.qvd_now() NOT NULL,
    node_id integer,
    code text NOT NULL,
    text text NOT NULL,
    wish_generation bigint DEFAULT 0 NOT NULL,
    actor text,
    detail jsonb
);

ALTER TABLE public.vm_events ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.vm_events_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.vm_reports (
    vm_id integer NOT NULL,
    node_id integer,
    epoch bigint NOT NULL,
    state text NOT NULL,
    state_at timestamp with time zone DEFAULT public.qvd_now() NOT NULL,
    generation_seen bigint DEFAULT 0 NOT NULL,
    tries integer DEFAULT 0 NOT NULL,
    next_try_at timestamp with time zone,
    di_id integer,
    x_state text DEFAULT 'none'::text NOT NULL,
    has_agent boolean DEFAULT false NOT NULL,
    fault_code text,
    fault_text text,
    reported_at timestamp with time zone DEFAULT public.qvd_now() NOT NULL,
    queue_position integer,
    queue_due_at timestamp with time zone,
    has_network boolean,
    crashes integer DEFAULT 0 NOT NULL,
    idle_since timestamp with time zone,
    incarnation bigint DEFAULT 0 NOT NULL,
    CONSTRAINT vm_reports_state_check CHECK ((state = ANY (ARRAY['stopped'::text, 'starting_1'::text, 'starting_2'::text, 'running'::text, 'stopping_1'::text, 'stopping_2'::text, 'zombie_1'::text, 'zombie_2'::text]))),
    CONSTRAINT vm_reports_x_state_check CHECK ((x_state = ANY (ARRAY['none'::text, 'starting'::text, 'listening'::text, 'connected'::text, 'suspending'::text, 'suspended'::text, 'stopping'::text])))
)
WITH (fillfactor='70');

CREATE TABLE public.vms (
    id integer NOT NULL,
    tenant_id integer NOT NULL,
    user_id integer NOT NULL,
    osf_id integer NOT NULL,
    di_tag text DEFAULT 'default'::text NOT NULL,
    name text NOT NULL,
    address inet NOT NULL,
    id_slot integer NOT NULL,
    is_blocked boolean DEFAULT false NOT NULL,
    blocked_reason text,
    created_at timestamp with time zone DEFAULT public.qvd_now() NOT NULL,
    deleted_at timestamp with time zone,
    wish text DEFAULT 'stopped'::text NOT NULL,
    wish_generation bigint DEFAULT 0 NOT NULL,
    wished_at timestamp with time zone,
    wished_by text,
    node_id integer,
    epoch bigint DEFAULT 0 NOT NULL,
    expires_soft_at timestamp with time zone,
    expires_hard_at timestamp with time zone,
    needs_node boolean GENERATED ALWAYS AS (((node_id IS NULL) AND ((wish = 'running'::text) OR (deleted_at IS NOT NULL)))) STORED NOT NULL,
    CONSTRAINT vms_id_slot_check CHECK (((id_slot >= 0) AND (id_slot <= 30000))),
    CONSTRAINT vms_name_check CHECK (((name <> ''::text) AND (name = btrim(name)))),
    CONSTRAINT vms_tenant_id_check CHECK ((tenant_id > 0)),
    CONSTRAINT vms_wish_check CHECK ((wish = ANY (ARRAY['running'::text, 'stopped'::text])))
)
WITH (fillfactor='70');

ALTER TABLE public.vms ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.vms_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE ONLY public.administrator_credentials
    ADD CONSTRAINT administrator_credentials_pkey PRIMARY KEY (administrator_id);

ALTER TABLE ONLY public.administrator_roles
    ADD CONSTRAINT administrator_roles_pkey PRIMARY KEY (administrator_id, role_id);

ALTER TABLE ONLY public.administrator_sessions
    ADD CONSTRAINT administrator_sessions_pkey PRIMARY KEY (token_hash);

ALTER TABLE ONLY public.administrators
    ADD CONSTRAINT administrators_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.administrators
    ADD CONSTRAINT administrators_tenant_id_login_key UNIQUE (tenant_id, login);

ALTER TABLE ONLY public.audit_log
    ADD CONSTRAINT audit_log_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.di_tags
    ADD CONSTRAINT di_tags_pkey PRIMARY KEY (osf_id, tag);

ALTER TABLE ONLY public.dis
    ADD CONSTRAINT dis_osf_id_version_key UNIQUE (osf_id, version);

ALTER TABLE ONLY public.dis
    ADD CONSTRAINT dis_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.join_codes
    ADD CONSTRAINT join_codes_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.leases
    ADD CONSTRAINT leases_pkey PRIMARY KEY (node_id);

ALTER TABLE ONLY public.node_reports
    ADD CONSTRAINT node_reports_pkey PRIMARY KEY (node_id);

ALTER TABLE ONLY public.node_wakes
    ADD CONSTRAINT node_wakes_pkey PRIMARY KEY (node_id);

ALTER TABLE ONLY public.nodes
    ADD CONSTRAINT nodes_name_key UNIQUE (name);

ALTER TABLE ONLY public.nodes
    ADD CONSTRAINT nodes_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.osfs
    ADD CONSTRAINT osfs_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.osfs
    ADD CONSTRAINT osfs_tenant_id_name_key UNIQUE (tenant_id, name);

ALTER TABLE ONLY public.properties
    ADD CONSTRAINT properties_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.properties
    ADD CONSTRAINT properties_user_id_vm_id_node_id_osf_id_di_id_key_key UNIQUE NULLS NOT DISTINCT (user_id, vm_id, node_id, osf_id, di_id, key);

ALTER TABLE ONLY public.recovery_codes
    ADD CONSTRAINT recovery_codes_pkey PRIMARY KEY (second_factor_id, code_hash);

ALTER TABLE ONLY public.role_acls
    ADD CONSTRAINT role_acls_pkey PRIMARY KEY (role_id, acl);

ALTER TABLE ONLY public.roles
    ADD CONSTRAINT roles_name_key UNIQUE (name);

ALTER TABLE ONLY public.roles
    ADD CONSTRAINT roles_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (number);

ALTER TABLE ONLY public.second_factors
    ADD CONSTRAINT second_factors_administrator_id_key UNIQUE (administrator_id);

ALTER TABLE ONLY public.second_factors
    ADD CONSTRAINT second_factors_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.second_factors
    ADD CONSTRAINT second_factors_user_id_key UNIQUE (user_id);

ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.settings
    ADD CONSTRAINT settings_pkey PRIMARY KEY (tenant_id, name);

ALTER TABLE ONLY public.sign_in_marks
    ADD CONSTRAINT sign_in_marks_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.tenants
    ADD CONSTRAINT tenants_name_key UNIQUE (name);

ALTER TABLE ONLY public.tenants
    ADD CONSTRAINT tenants_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.unlock_codes
    ADD CONSTRAINT unlock_codes_pkey PRIMARY KEY (user_id);

ALTER TABLE ONLY public.user_credentials
    ADD CONSTRAINT user_credentials_pkey PRIMARY KEY (user_id);

ALTER TABLE ONLY public.user_tokens
    ADD CONSTRAINT user_tokens_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.user_tokens
    ADD CONSTRAINT user_tokens_token_hash_key UNIQUE (token_hash);

ALTER TABLE ONLY public.user_web_sessions
    ADD CONSTRAINT user_web_sessions_pkey PRIMARY KEY (token_hash);

ALTER TABLE ONLY public.user_web_tickets
    ADD CONSTRAINT user_web_tickets_pkey PRIMARY KEY (ticket_hash);

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_tenant_id_login_key UNIQUE (tenant_id, login);

ALTER TABLE ONLY public.visits
    ADD CONSTRAINT visits_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.visits
    ADD CONSTRAINT visits_ticket_hash_key UNIQUE (ticket_hash);

ALTER TABLE ONLY public.vm_events
    ADD CONSTRAINT vm_events_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.vm_reports
    ADD CONSTRAINT vm_reports_pkey PRIMARY KEY (vm_id);

ALTER TABLE ONLY public.vms
    ADD CONSTRAINT vms_address_key UNIQUE (address);

ALTER TABLE ONLY public.vms
    ADD CONSTRAINT vms_id_slot_key UNIQUE (id_slot);

ALTER TABLE ONLY public.vms
    ADD CONSTRAINT vms_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.vms
    ADD CONSTRAINT vms_tenant_id_name_key UNIQUE (tenant_id, name);

CREATE INDEX audit_log_at ON public.audit_log USING btree (at DESC);

CREATE INDEX audit_log_subject ON public.audit_log USING btree (subject_kind, subject_id, id DESC);

CREATE INDEX di_tags_di ON public.di_tags USING btree (di_id);

CREATE INDEX sessions_ending ON public.sessions USING btree (ends_at) WHERE ((ends_at IS NOT NULL) AND (ended_at IS NULL));

CREATE UNIQUE INDEX sessions_live ON public.sessions USING btree (vm_id) WHERE ((ended_at IS NULL) AND (superseded_at IS NULL));

CREATE INDEX sessions_open ON public.sessions USING btree (broker_node_id, broker_worker) WHERE (ended_at IS NULL);

CREATE INDEX sessions_user ON public.sessions USING btree (user_id, id DESC);

CREATE INDEX sessions_vm ON public.sessions USING btree (vm_id, id DESC);

CREATE INDEX sign_in_marks_expires ON public.sign_in_marks USING btree (expires_at);

CREATE INDEX user_tokens_expiry ON public.user_tokens USING btree (expires_at);

CREATE INDEX user_tokens_user ON public.user_tokens USING btree (user_id, id);

CREATE INDEX user_web_sessions_expiry ON public.user_web_sessions USING btree (expires_at);

CREATE INDEX user_web_sessions_user ON public.user_web_sessions USING btree (user_id);

CREATE INDEX user_web_tickets_expiry ON public.user_web_tickets USING btree (expires_at);

CREATE INDEX visits_session ON public.visits USING btree (session_id);

CREATE INDEX visits_vm ON public.visits USING btree (vm_id);

CREATE INDEX vm_events_vm ON public.vm_events USING btree (vm_id, id DESC);

CREATE INDEX vm_reports_node ON public.vm_reports USING btree (node_id);

CREATE INDEX vms_needs_node ON public.vms USING btree (id) WHERE needs_node;

CREATE INDEX vms_node ON public.vms USING btree (node_id);

CREATE INDEX vms_user ON public.vms USING btree (user_id);

CREATE TRIGGER forget_di AFTER DELETE ON public.dis FOR EACH ROW EXECUTE FUNCTION public.qvd_forget_di();

CREATE TRIGGER forget_vm AFTER DELETE ON public.vms FOR EACH ROW EXECUTE FUNCTION public.qvd_forget_vm();

CREATE TRIGGER keep_visit BEFORE UPDATE ON public.visits FOR EACH ROW EXECUTE FUNCTION public.qvd_keep_visit();

ALTER TABLE ONLY public.administrator_credentials
    ADD CONSTRAINT administrator_credentials_administrator_id_fkey FOREIGN KEY (administrator_id) REFERENCES public.administrators(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.administrator_roles
    ADD CONSTRAINT administrator_roles_administrator_id_fkey FOREIGN KEY (administrator_id) REFERENCES public.administrators(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.administrator_roles
    ADD CONSTRAINT administrator_roles_role_id_fkey FOREIGN KEY (role_id) REFERENCES public.roles(id);

ALTER TABLE ONLY public.administrator_sessions
    ADD CONSTRAINT administrator_sessions_administrator_id_fkey FOREIGN KEY (administrator_id) REFERENCES public.administrators(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.administrators
    ADD CONSTRAINT administrators_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

ALTER TABLE ONLY public.di_tags
    ADD CONSTRAINT di_tags_di_id_fkey FOREIGN KEY (di_id) REFERENCES public.dis(id);

ALTER TABLE ONLY public.di_tags
    ADD CONSTRAINT di_tags_osf_id_fkey FOREIGN KEY (osf_id) REFERENCES public.osfs(id);

ALTER TABLE ONLY public.dis
    ADD CONSTRAINT dis_osf_id_fkey FOREIGN KEY (osf_id) REFERENCES public.osfs(id);

ALTER TABLE ONLY public.leases
    ADD CONSTRAINT leases_node_id_fkey FOREIGN KEY (node_id) REFERENCES public.nodes(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.node_reports
    ADD CONSTRAINT node_reports_node_id_fkey FOREIGN KEY (node_id) REFERENCES public.nodes(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.node_wakes
    ADD CONSTRAINT node_wakes_node_id_fkey FOREIGN KEY (node_id) REFERENCES public.nodes(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.osfs
    ADD CONSTRAINT osfs_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

ALTER TABLE ONLY public.properties
    ADD CONSTRAINT properties_di_id_fkey FOREIGN KEY (di_id) REFERENCES public.dis(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.properties
    ADD CONSTRAINT properties_node_id_fkey FOREIGN KEY (node_id) REFERENCES public.nodes(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.properties
    ADD CONSTRAINT properties_osf_id_fkey FOREIGN KEY (osf_id) REFERENCES public.osfs(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.properties
    ADD CONSTRAINT properties_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.properties
    ADD CONSTRAINT properties_vm_id_fkey FOREIGN KEY (vm_id) REFERENCES public.vms(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.recovery_codes
    ADD CONSTRAINT recovery_codes_second_factor_id_fkey FOREIGN KEY (second_factor_id) REFERENCES public.second_factors(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.role_acls
    ADD CONSTRAINT role_acls_role_id_fkey FOREIGN KEY (role_id) REFERENCES public.roles(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.second_factors
    ADD CONSTRAINT second_factors_administrator_id_fkey FOREIGN KEY (administrator_id) REFERENCES public.administrators(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.second_factors
    ADD CONSTRAINT second_factors_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_broker_node_id_fkey FOREIGN KEY (broker_node_id) REFERENCES public.nodes(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id);

ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_vm_id_fkey FOREIGN KEY (vm_id) REFERENCES public.vms(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.settings
    ADD CONSTRAINT settings_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.unlock_codes
    ADD CONSTRAINT unlock_codes_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.user_credentials
    ADD CONSTRAINT user_credentials_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.user_tokens
    ADD CONSTRAINT user_tokens_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.user_tokens
    ADD CONSTRAINT user_tokens_vm_id_fkey FOREIGN KEY (vm_id) REFERENCES public.vms(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.user_web_sessions
    ADD CONSTRAINT user_web_sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.user_web_tickets
    ADD CONSTRAINT user_web_tickets_session_hash_fkey FOREIGN KEY (session_hash) REFERENCES public.user_web_sessions(token_hash) ON DELETE CASCADE;

ALTER TABLE ONLY public.user_web_tickets
    ADD CONSTRAINT user_web_tickets_vm_id_fkey FOREIGN KEY (vm_id) REFERENCES public.vms(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

ALTER TABLE ONLY public.visits
    ADD CONSTRAINT visits_session_id_fkey FOREIGN KEY (session_id) REFERENCES public.sessions(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.visits
    ADD CONSTRAINT visits_vm_id_fkey FOREIGN KEY (vm_id) REFERENCES public.vms(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.vm_reports
    ADD CONSTRAINT vm_reports_node_id_fkey FOREIGN KEY (node_id) REFERENCES public.nodes(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.vm_reports
    ADD CONSTRAINT vm_reports_vm_id_fkey FOREIGN KEY (vm_id) REFERENCES public.vms(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.vms
    ADD CONSTRAINT vms_node_id_fkey FOREIGN KEY (node_id) REFERENCES public.nodes(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.vms
    ADD CONSTRAINT vms_osf_id_fkey FOREIGN KEY (osf_id) REFERENCES public.osfs(id);

ALTER TABLE ONLY public.vms
    ADD CONSTRAINT vms_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

ALTER TABLE ONLY public.vms
    ADD CONSTRAINT vms_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id);

REVOKE USAGE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO qvd_node;
GRANT USAGE ON SCHEMA public TO qvd_admin;
GRANT USAGE ON SCHEMA public TO qvd_auth;
GRANT USAGE ON SCHEMA public TO qvd_broker;

REVOKE ALL ON FUNCTION public.qvd_admit_visit(visit bigint, said_from text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.qvd_admit_visit(visit bigint, said_from text) TO qvd_broker;

REVOKE ALL ON FUNCTION public.qvd_begin_visit(ticket text, person integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.qvd_begin_visit(ticket text, person integer) TO qvd_broker;

REVOKE ALL ON FUNCTION public.qvd_forget_di() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.qvd_forget_vm() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.qvd_kept_days(setting text) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.qvd_now() FROM PUBLIC;
GRANT ALL ON FUNCTION public.qvd_now() TO qvd_node;
GRANT ALL ON FUNCTION public.qvd_now() TO qvd_admin;
GRANT ALL ON FUNCTION public.qvd_now() TO qvd_auth;
GRANT ALL ON FUNCTION public.qvd_now() TO qvd_broker;

REVOKE ALL ON FUNCTION public.qvd_sweep_history(most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.qvd_sweep_history(most integer) TO qvd_node;

REVOKE ALL ON FUNCTION public.qvd_visit_asker(visit bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION public.qvd_visit_asker(visit bigint) TO qvd_broker;
GRANT ALL ON FUNCTION public.qvd_visit_asker(visit bigint) TO qvd_node;

GRANT SELECT ON TABLE public.administrator_credentials TO qvd_auth;
GRANT INSERT,DELETE,UPDATE ON TABLE public.administrator_credentials TO qvd_admin;

GRANT SELECT(administrator_id) ON TABLE public.administrator_credentials TO qvd_admin;

GRANT UPDATE(password_hash) ON TABLE public.administrator_credentials TO qvd_auth;

GRANT UPDATE(changed_at) ON TABLE public.administrator_credentials TO qvd_auth;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.administrator_roles TO qvd_admin;
GRANT SELECT,INSERT,DELETE ON TABLE public.administrator_roles TO qvd_auth;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.administrator_sessions TO qvd_admin;

GRANT SELECT ON TABLE public.administrators TO qvd_auth;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.administrators TO qvd_admin;

GRANT INSERT(tenant_id) ON TABLE public.administrators TO qvd_auth;

GRANT INSERT(login) ON TABLE public.administrators TO qvd_auth;

GRANT INSERT(provider) ON TABLE public.administrators TO qvd_auth;

GRANT INSERT ON TABLE public.audit_log TO qvd_broker;
GRANT SELECT,INSERT ON TABLE public.audit_log TO qvd_node;
GRANT SELECT,INSERT ON TABLE public.audit_log TO qvd_admin;
GRANT INSERT ON TABLE public.audit_log TO qvd_auth;

GRANT SELECT ON TABLE public.di_tags TO qvd_node;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.di_tags TO qvd_admin;

GRANT SELECT ON TABLE public.dis TO qvd_node;
GRANT SELECT,DELETE ON TABLE public.dis TO qvd_admin;

GRANT INSERT(osf_id) ON TABLE public.dis TO qvd_admin;

GRANT INSERT(version),UPDATE(version) ON TABLE public.dis TO qvd_admin;

GRANT INSERT(file_name) ON TABLE public.dis TO qvd_admin;

GRANT INSERT(stated_sha256) ON TABLE public.dis TO qvd_admin;

GRANT INSERT(is_blocked),UPDATE(is_blocked) ON TABLE public.dis TO qvd_admin;

GRANT UPDATE(state) ON TABLE public.dis TO qvd_node;

GRANT UPDATE(state_at) ON TABLE public.dis TO qvd_node;

GRANT UPDATE(fault) ON TABLE public.dis TO qvd_node;

GRANT UPDATE(size_bytes) ON TABLE public.dis TO qvd_node;

GRANT UPDATE(sha256) ON TABLE public.dis TO qvd_node;

GRANT INSERT(kind) ON TABLE public.dis TO qvd_admin;

GRANT INSERT(source_url) ON TABLE public.dis TO qvd_admin;

GRANT UPDATE(published_at) ON TABLE public.dis TO qvd_admin;

GRANT UPDATE(retired_at) ON TABLE public.dis TO qvd_admin;

GRANT UPDATE(done_bytes) ON TABLE public.dis TO qvd_node;

GRANT UPDATE(total_bytes) ON TABLE public.dis TO qvd_node;

GRANT SELECT ON TABLE public.join_codes TO qvd_admin;

GRANT UPDATE(sealed) ON TABLE public.join_codes TO qvd_admin;

GRANT UPDATE(used_at) ON TABLE public.join_codes TO qvd_admin;

GRANT UPDATE(used_by) ON TABLE public.join_codes TO qvd_admin;

GRANT SELECT,INSERT,UPDATE ON TABLE public.leases TO qvd_node;
GRANT SELECT ON TABLE public.leases TO qvd_admin;

GRANT SELECT ON TABLE public.node_reports TO qvd_broker;
GRANT SELECT,INSERT,UPDATE ON TABLE public.node_reports TO qvd_node;
GRANT SELECT ON TABLE public.node_reports TO qvd_admin;

GRANT SELECT,INSERT,UPDATE ON TABLE public.node_wakes TO qvd_node;

GRANT SELECT ON TABLE public.nodes TO qvd_broker;
GRANT SELECT ON TABLE public.nodes TO qvd_node;
GRANT SELECT,DELETE ON TABLE public.nodes TO qvd_admin;

GRANT INSERT(name) ON TABLE public.nodes TO qvd_node;

GRANT UPDATE(is_blocked) ON TABLE public.nodes TO qvd_admin;

GRANT INSERT(box_id),UPDATE(box_id) ON TABLE public.nodes TO qvd_node;

GRANT INSERT(address),UPDATE(address) ON TABLE public.nodes TO qvd_node;

GRANT INSERT(shared_id),UPDATE(shared_id) ON TABLE public.nodes TO qvd_node;

GRANT UPDATE(drain) ON TABLE public.nodes TO qvd_admin;

GRANT UPDATE(drained_at) ON TABLE public.nodes TO qvd_admin;

GRANT UPDATE(weight) ON TABLE public.nodes TO qvd_admin;

GRANT UPDATE(strangers_to_end) ON TABLE public.nodes TO qvd_admin;
GRANT UPDATE(strangers_to_end) ON TABLE public.nodes TO qvd_node;

GRANT SELECT ON TABLE public.osfs TO qvd_node;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.osfs TO qvd_admin;
GRANT SELECT ON TABLE public.osfs TO qvd_auth;

GRANT SELECT(id) ON TABLE public.osfs TO qvd_broker;

GRANT SELECT(hypervisor) ON TABLE public.osfs TO qvd_broker;

GRANT SELECT(has_agent) ON TABLE public.osfs TO qvd_broker;

GRANT SELECT(is_application) ON TABLE public.osfs TO qvd_broker;

GRANT SELECT(offers_console) ON TABLE public.osfs TO qvd_broker;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.properties TO qvd_admin;
GRANT SELECT ON TABLE public.properties TO qvd_node;
GRANT SELECT ON TABLE public.properties TO qvd_auth;

GRANT SELECT,INSERT,DELETE ON TABLE public.recovery_codes TO qvd_auth;

GRANT SELECT(second_factor_id) ON TABLE public.recovery_codes TO qvd_admin;

GRANT UPDATE(used_at) ON TABLE public.recovery_codes TO qvd_auth;
GRANT SELECT(used_at) ON TABLE public.recovery_codes TO qvd_admin;

GRANT SELECT ON TABLE public.role_acls TO qvd_admin;

GRANT SELECT ON TABLE public.roles TO qvd_admin;
GRANT SELECT ON TABLE public.roles TO qvd_auth;

GRANT SELECT ON TABLE public.schema_migrations TO qvd_node;
GRANT SELECT ON TABLE public.schema_migrations TO qvd_admin;
GRANT SELECT ON TABLE public.schema_migrations TO qvd_auth;
GRANT SELECT ON TABLE public.schema_migrations TO qvd_broker;

GRANT SELECT,INSERT,DELETE ON TABLE public.second_factors TO qvd_auth;
GRANT DELETE ON TABLE public.second_factors TO qvd_admin;

GRANT SELECT(id) ON TABLE public.second_factors TO qvd_admin;

GRANT SELECT(user_id),INSERT(user_id) ON TABLE public.second_factors TO qvd_admin;

GRANT SELECT(administrator_id) ON TABLE public.second_factors TO qvd_admin;

GRANT INSERT(sealed_secret) ON TABLE public.second_factors TO qvd_admin;

GRANT UPDATE(last_step) ON TABLE public.second_factors TO qvd_auth;
GRANT INSERT(last_step) ON TABLE public.second_factors TO qvd_admin;

GRANT SELECT(created_at) ON TABLE public.second_factors TO qvd_admin;

GRANT SELECT ON TABLE public.sessions TO qvd_broker;
GRANT SELECT ON TABLE public.sessions TO qvd_node;
GRANT SELECT ON TABLE public.sessions TO qvd_admin;

GRANT INSERT(vm_id) ON TABLE public.sessions TO qvd_broker;

GRANT INSERT(user_id) ON TABLE public.sessions TO qvd_broker;

GRANT INSERT(client) ON TABLE public.sessions TO qvd_broker;

GRANT INSERT(slave_key) ON TABLE public.sessions TO qvd_broker;

GRANT INSERT(client_address) ON TABLE public.sessions TO qvd_broker;

GRANT INSERT(broker_node_id) ON TABLE public.sessions TO qvd_broker;

GRANT INSERT(broker_worker) ON TABLE public.sessions TO qvd_broker;

GRANT UPDATE(superseded_at) ON TABLE public.sessions TO qvd_broker;

GRANT UPDATE(end_wished_at) ON TABLE public.sessions TO qvd_broker;
GRANT UPDATE(end_wished_at) ON TABLE public.sessions TO qvd_admin;

GRANT UPDATE(end_wished_by) ON TABLE public.sessions TO qvd_broker;
GRANT UPDATE(end_wished_by) ON TABLE public.sessions TO qvd_admin;

GRANT UPDATE(state) ON TABLE public.sessions TO qvd_node;

GRANT UPDATE(state_at) ON TABLE public.sessions TO qvd_node;

GRANT UPDATE(address) ON TABLE public.sessions TO qvd_node;

GRANT UPDATE(port) ON TABLE public.sessions TO qvd_node;

GRANT UPDATE(fault_code) ON TABLE public.sessions TO qvd_node;

GRANT UPDATE(fault_text) ON TABLE public.sessions TO qvd_node;

GRANT UPDATE(connected_at) ON TABLE public.sessions TO qvd_broker;

GRANT UPDATE(ended_at) ON TABLE public.sessions TO qvd_broker;
GRANT UPDATE(ended_at) ON TABLE public.sessions TO qvd_node;

GRANT UPDATE(end_cause) ON TABLE public.sessions TO qvd_broker;
GRANT UPDATE(end_cause) ON TABLE public.sessions TO qvd_node;

GRANT UPDATE(bytes_to_client) ON TABLE public.sessions TO qvd_broker;

GRANT UPDATE(bytes_from_client) ON TABLE public.sessions TO qvd_broker;

GRANT INSERT(access) ON TABLE public.sessions TO qvd_broker;

GRANT INSERT(parameters) ON TABLE public.sessions TO qvd_broker;

GRANT UPDATE(ends_at) ON TABLE public.sessions TO qvd_broker;

GRANT SELECT ON TABLE public.settings TO qvd_auth;
GRANT SELECT ON TABLE public.settings TO qvd_node;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.settings TO qvd_admin;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.sign_in_marks TO qvd_auth;

GRANT SELECT ON TABLE public.tenants TO qvd_auth;
GRANT SELECT ON TABLE public.tenants TO qvd_broker;
GRANT SELECT ON TABLE public.tenants TO qvd_node;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.tenants TO qvd_admin;

GRANT SELECT,INSERT,DELETE ON TABLE public.unlock_codes TO qvd_auth;

GRANT UPDATE(code_hash) ON TABLE public.unlock_codes TO qvd_auth;

GRANT UPDATE(expires_at) ON TABLE public.unlock_codes TO qvd_auth;

GRANT SELECT ON TABLE public.user_credentials TO qvd_auth;
GRANT INSERT,DELETE,UPDATE ON TABLE public.user_credentials TO qvd_admin;

GRANT SELECT(user_id) ON TABLE public.user_credentials TO qvd_admin;

GRANT UPDATE(password_hash) ON TABLE public.user_credentials TO qvd_auth;

GRANT UPDATE(changed_at) ON TABLE public.user_credentials TO qvd_auth;

GRANT SELECT,INSERT,DELETE ON TABLE public.user_tokens TO qvd_auth;

GRANT SELECT(id) ON TABLE public.user_tokens TO qvd_admin;

GRANT SELECT(user_id) ON TABLE public.user_tokens TO qvd_admin;

GRANT SELECT(vm_id) ON TABLE public.user_tokens TO qvd_admin;

GRANT SELECT(is_multi_use) ON TABLE public.user_tokens TO qvd_admin;

GRANT SELECT(origin) ON TABLE public.user_tokens TO qvd_admin;

GRANT SELECT(created_at) ON TABLE public.user_tokens TO qvd_admin;

GRANT SELECT(expires_at) ON TABLE public.user_tokens TO qvd_admin;

GRANT UPDATE(used_at) ON TABLE public.user_tokens TO qvd_auth;
GRANT SELECT(used_at) ON TABLE public.user_tokens TO qvd_admin;

GRANT SELECT(revoked_at),UPDATE(revoked_at) ON TABLE public.user_tokens TO qvd_admin;

GRANT SELECT,INSERT,DELETE ON TABLE public.user_web_sessions TO qvd_broker;
GRANT DELETE ON TABLE public.user_web_sessions TO qvd_admin;

GRANT SELECT(user_id) ON TABLE public.user_web_sessions TO qvd_admin;

GRANT UPDATE(seen_at) ON TABLE public.user_web_sessions TO qvd_broker;

GRANT SELECT,INSERT,DELETE ON TABLE public.user_web_tickets TO qvd_broker;

GRANT SELECT ON TABLE public.users TO qvd_auth;
GRANT SELECT ON TABLE public.users TO qvd_broker;
GRANT SELECT ON TABLE public.users TO qvd_node;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.users TO qvd_admin;

GRANT INSERT(tenant_id) ON TABLE public.users TO qvd_auth;

GRANT INSERT(login) ON TABLE public.users TO qvd_auth;

GRANT INSERT(full_name),UPDATE(full_name) ON TABLE public.users TO qvd_auth;

GRANT SELECT,DELETE ON TABLE public.visits TO qvd_admin;
GRANT SELECT ON TABLE public.visits TO qvd_node;

GRANT SELECT(id) ON TABLE public.visits TO qvd_broker;

GRANT INSERT(kind) ON TABLE public.visits TO qvd_admin;
GRANT SELECT(kind),INSERT(kind) ON TABLE public.visits TO qvd_broker;

GRANT INSERT(vm_id) ON TABLE public.visits TO qvd_admin;
GRANT SELECT(vm_id),INSERT(vm_id) ON TABLE public.visits TO qvd_broker;

GRANT INSERT(session_id) ON TABLE public.visits TO qvd_admin;
GRANT SELECT(session_id),INSERT(session_id) ON TABLE public.visits TO qvd_broker;

GRANT INSERT(asked_by) ON TABLE public.visits TO qvd_admin;
GRANT SELECT(asked_by),INSERT(asked_by) ON TABLE public.visits TO qvd_broker;

GRANT SELECT(asked_at) ON TABLE public.visits TO qvd_broker;

GRANT INSERT(visitor) ON TABLE public.visits TO qvd_admin;
GRANT SELECT(visitor) ON TABLE public.visits TO qvd_broker;

GRANT INSERT(may_control) ON TABLE public.visits TO qvd_admin;
GRANT SELECT(may_control),INSERT(may_control) ON TABLE public.visits TO qvd_broker;

GRANT INSERT(needs_consent) ON TABLE public.visits TO qvd_admin;
GRANT SELECT(needs_consent),INSERT(needs_consent) ON TABLE public.visits TO qvd_broker;

GRANT INSERT(ticket_hash) ON TABLE public.visits TO qvd_admin;
GRANT INSERT(ticket_hash) ON TABLE public.visits TO qvd_broker;

GRANT INSERT(ticket_expires_at) ON TABLE public.visits TO qvd_admin;
GRANT SELECT(ticket_expires_at),INSERT(ticket_expires_at) ON TABLE public.visits TO qvd_broker;

GRANT INSERT(console_key) ON TABLE public.visits TO qvd_admin;

GRANT SELECT(began_at) ON TABLE public.visits TO qvd_broker;

GRANT SELECT(admitted_at) ON TABLE public.visits TO qvd_broker;

GRANT SELECT(ended_at),UPDATE(ended_at) ON TABLE public.visits TO qvd_broker;

GRANT SELECT(end_cause),UPDATE(end_cause) ON TABLE public.visits TO qvd_broker;

GRANT INSERT(administrator_id) ON TABLE public.visits TO qvd_admin;
GRANT SELECT(administrator_id) ON TABLE public.visits TO qvd_broker;

GRANT INSERT(sign_in_hash) ON TABLE public.visits TO qvd_admin;

GRANT INSERT(sign_in_expires_at) ON TABLE public.visits TO qvd_admin;

GRANT INSERT(is_yielding) ON TABLE public.visits TO qvd_admin;
GRANT SELECT(is_yielding) ON TABLE public.visits TO qvd_broker;

GRANT SELECT,INSERT ON TABLE public.vm_events TO qvd_broker;
GRANT SELECT,INSERT ON TABLE public.vm_events TO qvd_node;
GRANT SELECT,INSERT ON TABLE public.vm_events TO qvd_admin;

GRANT SELECT ON TABLE public.vm_reports TO qvd_broker;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.vm_reports TO qvd_node;
GRANT SELECT ON TABLE public.vm_reports TO qvd_admin;

GRANT SELECT ON TABLE public.vms TO qvd_broker;
GRANT SELECT,DELETE ON TABLE public.vms TO qvd_node;
GRANT SELECT ON TABLE public.vms TO qvd_admin;
GRANT SELECT ON TABLE public.vms TO qvd_auth;

GRANT INSERT(tenant_id) ON TABLE public.vms TO qvd_admin;
GRANT INSERT(tenant_id) ON TABLE public.vms TO qvd_auth;

GRANT INSERT(user_id),UPDATE(user_id) ON TABLE public.vms TO qvd_admin;
GRANT INSERT(user_id) ON TABLE public.vms TO qvd_auth;

GRANT INSERT(osf_id),UPDATE(osf_id) ON TABLE public.vms TO qvd_admin;
GRANT INSERT(osf_id) ON TABLE public.vms TO qvd_auth;

GRANT INSERT(di_tag),UPDATE(di_tag) ON TABLE public.vms TO qvd_admin;
GRANT INSERT(di_tag) ON TABLE public.vms TO qvd_auth;

GRANT INSERT(name),UPDATE(name) ON TABLE public.vms TO qvd_admin;
GRANT INSERT(name) ON TABLE public.vms TO qvd_auth;

GRANT INSERT(address) ON TABLE public.vms TO qvd_admin;
GRANT INSERT(address) ON TABLE public.vms TO qvd_auth;

GRANT INSERT(id_slot) ON TABLE public.vms TO qvd_admin;
GRANT INSERT(id_slot) ON TABLE public.vms TO qvd_auth;

GRANT INSERT(is_blocked),UPDATE(is_blocked) ON TABLE public.vms TO qvd_admin;
GRANT UPDATE(is_blocked) ON TABLE public.vms TO qvd_node;

GRANT INSERT(blocked_reason),UPDATE(blocked_reason) ON TABLE public.vms TO qvd_admin;
GRANT UPDATE(blocked_reason) ON TABLE public.vms TO qvd_node;

GRANT UPDATE(deleted_at) ON TABLE public.vms TO qvd_admin;

GRANT UPDATE(wish) ON TABLE public.vms TO qvd_broker;
GRANT UPDATE(wish) ON TABLE public.vms TO qvd_node;
GRANT UPDATE(wish) ON TABLE public.vms TO qvd_admin;

GRANT UPDATE(wish_generation) ON TABLE public.vms TO qvd_broker;
GRANT UPDATE(wish_generation) ON TABLE public.vms TO qvd_node;
GRANT UPDATE(wish_generation) ON TABLE public.vms TO qvd_admin;

GRANT UPDATE(wished_at) ON TABLE public.vms TO qvd_broker;
GRANT UPDATE(wished_at) ON TABLE public.vms TO qvd_node;
GRANT UPDATE(wished_at) ON TABLE public.vms TO qvd_admin;

GRANT UPDATE(wished_by) ON TABLE public.vms TO qvd_broker;
GRANT UPDATE(wished_by) ON TABLE public.vms TO qvd_node;
GRANT UPDATE(wished_by) ON TABLE public.vms TO qvd_admin;

GRANT UPDATE(node_id) ON TABLE public.vms TO qvd_node;

GRANT UPDATE(epoch) ON TABLE public.vms TO qvd_node;

GRANT UPDATE(expires_soft_at) ON TABLE public.vms TO qvd_admin;
GRANT UPDATE(expires_soft_at) ON TABLE public.vms TO qvd_node;

GRANT UPDATE(expires_hard_at) ON TABLE public.vms TO qvd_admin;
GRANT UPDATE(expires_hard_at) ON TABLE public.vms TO qvd_node;
