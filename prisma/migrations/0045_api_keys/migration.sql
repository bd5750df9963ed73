-- API keys. The secret itself is never stored: only its SHA-256, and enough of its beginning to find and to recognise it.
CREATE TABLE api_key (
  id           uuid PRIMARY KEY,
  workspace_id text NOT NULL DEFAULT 'default',
  name         text NOT NULL CHECK (name <> '' AND length(name) <= 200),
  prefix       text NOT NULL CHECK (prefix ~ '^tql_[A-Za-z0-9_-]{8}$'),
  sha256       bytea NOT NULL CHECK (length(sha256) = 32),
  role         text NOT NULL CHECK (role IN ('viewer', 'analyst', 'admin')),
  created_by   text NOT NULL CHECK (created_by <> ''),
  created_at   timestamptz(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  expires_at   timestamptz(3),
  last_used_at timestamptz(3),
  revoked_at   timestamptz(3)
);
CREATE INDEX api_key_prefix ON api_key (prefix);
CREATE INDEX api_key_workspace ON api_key (workspace_id, id DESC);
