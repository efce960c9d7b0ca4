-- What the authenticator gave the desktops of whoever had the token made: a session that the token opens gets the same.
ALTER TABLE user_tokens ADD COLUMN parameters jsonb NOT NULL DEFAULT '{}';
