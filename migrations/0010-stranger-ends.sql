-- Desktops that run on a box though the database doesn't place them there, and that an administrator wishes ended.
ALTER TABLE nodes ADD COLUMN strangers_to_end int[] NOT NULL DEFAULT '{}';
GRANT UPDATE (strangers_to_end) ON nodes TO qvd_admin, qvd_node;
