-- The second storey: both kinds of desktops, images with their whole life, what an OSF promises its desktops,
-- several boxes with the right to run, and properties. As before, wishes and truth are columns of their own.

-- What an OSF promises ------------------------------------------------------------------------------------

ALTER TABLE osfs
  -- What its images are and what runs them: `lxc` an archive in a container, `kvm` a disk in a virtual machine.
  ADD COLUMN hypervisor text NOT NULL DEFAULT 'lxc' CHECK (hypervisor IN ('lxc', 'kvm')),
  -- What outlives a stop.
  ADD COLUMN persistence text NOT NULL DEFAULT 'home' CHECK (persistence IN ('nothing', 'home', 'folders', 'everything')),
  -- With `folders`: absolute paths inside the desktop that are kept besides the home.
  ADD COLUMN kept_folders text[] NOT NULL DEFAULT '{}',
  -- Most that the home, and the rest of the system, may hold; null is no limit of their own.
  ADD COLUMN home_mb int CHECK (home_mb BETWEEN 16 AND 16777216),
  ADD COLUMN system_mb int CHECK (system_mb BETWEEN 16 AND 16777216),
  -- How long after its last person left a desktop is stopped: null never, 0 at once.
  ADD COLUMN idle_stop_seconds int CHECK (idle_stop_seconds BETWEEN 0 AND 31536000),
  -- A desktop that ended by itself without anybody's order.
  ADD COLUMN on_crash text NOT NULL DEFAULT 'restart' CHECK (on_crash IN ('leave', 'restart')),
  -- Whether desktops of this OSF may reach each other on the desktop network.
  ADD COLUMN allows_neighbours boolean NOT NULL DEFAULT false,
  -- False for machines without our agent, such as an installer or another family: such a desktop runs as soon as
  -- its machine does, can be seen on its console only, and is stopped by its power button.
  ADD COLUMN has_agent boolean NOT NULL DEFAULT true,
  -- After the publication of a newer image: when running desktops are asked, and when they are made, to restart.
  ADD COLUMN expiry_soft_seconds int CHECK (expiry_soft_seconds >= 0),
  ADD COLUMN expiry_hard_seconds int CHECK (expiry_hard_seconds >= 0);

-- Images --------------------------------------------------------------------------------------------------

ALTER TABLE dis
  ADD COLUMN kind text NOT NULL DEFAULT 'archive' CHECK (kind IN ('archive', 'disk')),
  -- Where the node fetches it from; null for a file that was laid down.
  ADD COLUMN source_url text,
  ADD COLUMN published_at timestamptz,
  ADD COLUMN retired_at timestamptz,
  -- Observed: how far a transfer or a check has come, and of how much.
  ADD COLUMN done_bytes bigint,
  ADD COLUMN total_bytes bigint,
  DROP CONSTRAINT dis_state_check,
  ADD CONSTRAINT dis_state_check CHECK (state IN ('new', 'fetching', 'verifying', 'ready', 'failed'));

-- Desktops ------------------------------------------------------------------------------------------------

ALTER TABLE vms
  -- Soft: the person is asked to restart it. Hard: it is stopped. Both end with the life of the desktop.
  ADD COLUMN expires_soft_at timestamptz,
  ADD COLUMN expires_hard_at timestamptz;
CREATE INDEX vms_unplaced ON vms (wished_at, id) WHERE node_id IS NULL AND wish = 'running';
CREATE INDEX vms_unplaced_deleted ON vms (id) WHERE node_id IS NULL AND deleted_at IS NOT NULL;

ALTER TABLE vm_reports
  -- Place in its node's queue and when its turn is estimated to come.
  ADD COLUMN queue_position int,
  ADD COLUMN queue_due_at timestamptz,
  -- What the checks said last: booted, agent, network.
  ADD COLUMN has_network boolean,
  -- Ends without anybody's order since it last ran long enough; what blocks a desktop that keeps failing.
  ADD COLUMN crashes int NOT NULL DEFAULT 0,
  -- Since when nobody is connected, while it runs.
  ADD COLUMN idle_since timestamptz,
  -- Of this life: which incarnation runs, so that whoever reads its traces can tell lives apart.
  ADD COLUMN incarnation bigint NOT NULL DEFAULT 0;

-- Boxes ---------------------------------------------------------------------------------------------------

ALTER TABLE nodes
  -- Random, made once by the box itself: a second box under the same name is refused.
  ADD COLUMN box_id text,
  -- Where other boxes and balancers reach its broker.
  ADD COLUMN address text,
  -- Identity of the shared storage that it has mounted; null when it has none. Desktops move within one.
  ADD COLUMN shared_id text,
  -- Administrators' wish: take no more, and let what runs `finish` or `move` it elsewhere.
  ADD COLUMN drain text CHECK (drain IN ('finish', 'move')),
  ADD COLUMN drained_at timestamptz,
  -- Multiplies its score in placement; 0 keeps it as the last resort.
  ADD COLUMN weight real NOT NULL DEFAULT 1 CHECK (weight BETWEEN 0 AND 100);

ALTER TABLE leases
  -- Written by whoever took its desktops over.
  ADD COLUMN lost_at timestamptz,
  -- Its keeper knows that others could take over, and stops the desktops before the lapse. Nobody takes over without.
  ADD COLUMN fences boolean NOT NULL DEFAULT false;

-- A sealed bundle that lets one more box join; only who holds the code can open it.
CREATE TABLE join_codes (
  id text PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9_-]{8,64}$'),
  sealed bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT qvd_now(),
  created_by text NOT NULL,
  expires_at timestamptz NOT NULL,
  used_at timestamptz,
  used_by text
);

-- Beyond 50 boxes nobody listens for notices: each polls its own row here once a second.
CREATE TABLE node_wakes (
  node_id int PRIMARY KEY REFERENCES nodes ON DELETE CASCADE,
  count bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

-- Properties ----------------------------------------------------------------------------------------------

-- Free names and values of one thing each; merged osf, di, user, vm (later wins) for the hooks.
CREATE TABLE properties (
  id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  user_id int REFERENCES users ON DELETE CASCADE,
  vm_id int REFERENCES vms ON DELETE CASCADE,
  node_id int REFERENCES nodes ON DELETE CASCADE,
  osf_id int REFERENCES osfs ON DELETE CASCADE,
  di_id int REFERENCES dis ON DELETE CASCADE,
  key text NOT NULL CHECK (key ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$'),
  value text NOT NULL CHECK (length(value) <= 4096),
  CHECK (num_nonnulls(user_id, vm_id, node_id, osf_id, di_id) = 1),
  UNIQUE NULLS NOT DISTINCT (user_id, vm_id, node_id, osf_id, di_id, key)
);

-- Who may do what -----------------------------------------------------------------------------------------

GRANT SELECT ON join_codes, properties TO qvd_admin;
GRANT SELECT ON properties TO qvd_node;
GRANT SELECT, INSERT, UPDATE ON node_wakes TO qvd_node;
GRANT INSERT, UPDATE, DELETE ON properties TO qvd_admin;
-- What was handed out is emptied.
GRANT UPDATE (used_at, used_by, sealed) ON join_codes TO qvd_admin;
GRANT INSERT (source_url, kind) ON dis TO qvd_admin;
GRANT UPDATE (published_at, retired_at) ON dis TO qvd_admin;
GRANT UPDATE (done_bytes, total_bytes) ON dis TO qvd_node;
GRANT UPDATE (expires_soft_at, expires_hard_at) ON vms TO qvd_admin, qvd_node;
-- A desktop that keeps failing is blocked by its node, with the reason.
GRANT UPDATE (is_blocked, blocked_reason) ON vms TO qvd_node;
GRANT UPDATE (drain, drained_at, weight) ON nodes TO qvd_admin;
GRANT DELETE ON nodes TO qvd_admin;
GRANT INSERT (box_id, address, shared_id), UPDATE (box_id, address, shared_id) ON nodes TO qvd_node;
-- Sittings that a lost box carried are ended by whoever takes over: their broker can't.
GRANT UPDATE (ended_at, end_cause) ON sessions TO qvd_node;

-- Boxes come and go; what they saw and did stays, without their name.
ALTER TABLE vms DROP CONSTRAINT vms_node_id_fkey,
  ADD CONSTRAINT vms_node_id_fkey FOREIGN KEY (node_id) REFERENCES nodes ON DELETE SET NULL;
ALTER TABLE vm_reports DROP CONSTRAINT vm_reports_node_id_fkey,
  ADD CONSTRAINT vm_reports_node_id_fkey FOREIGN KEY (node_id) REFERENCES nodes ON DELETE SET NULL;
ALTER TABLE vm_events DROP CONSTRAINT vm_events_node_id_fkey,
  ADD CONSTRAINT vm_events_node_id_fkey FOREIGN KEY (node_id) REFERENCES nodes ON DELETE SET NULL;
ALTER TABLE sessions DROP CONSTRAINT sessions_broker_node_id_fkey,
  ADD CONSTRAINT sessions_broker_node_id_fkey FOREIGN KEY (broker_node_id) REFERENCES nodes ON DELETE SET NULL;
