-- The front door: every client, every way of proving who one is.

-- Sessions ------------------------------------------------------------------------------------------------

-- What shows the desktop: an NX client, or a browser by way of the gateway.
ALTER TABLE sessions ADD COLUMN access text NOT NULL DEFAULT 'nx' CHECK (access IN ('nx', 'browser'));
GRANT INSERT (access) ON sessions TO qvd_broker;
