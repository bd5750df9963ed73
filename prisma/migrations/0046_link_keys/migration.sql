-- Secrets of the installation by which links are signed. Newer ones sign; older ones are kept until their links expire.
CREATE TABLE link_key (
  id         text PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9_-]{6}$'),
  secret     bytea NOT NULL CHECK (length(secret) = 32),
  created_at timestamptz(3) NOT NULL DEFAULT CURRENT_TIMESTAMP
);
