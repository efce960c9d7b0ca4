-- Guessing is slowed down for the whole site: what the auth of each box counted, and who proved themselves lately.
CREATE TABLE sign_in_marks (
  -- A hash of lane and key, which both hold what strangers typed.
  id text PRIMARY KEY,
  lane text NOT NULL CHECK (lane IN ('pair', 'account', 'address', 'code', 'proved')),
  key text NOT NULL,
  failures int NOT NULL CHECK (failures >= 0),
  last_at timestamptz NOT NULL DEFAULT qvd_now(),
  expires_at timestamptz NOT NULL
);
CREATE INDEX sign_in_marks_expires ON sign_in_marks (expires_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON sign_in_marks TO qvd_auth;
