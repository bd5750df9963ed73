-- Files that are made on behalf of a request, and kept until they expire.
CREATE TABLE export (
  id              uuid PRIMARY KEY,
  workspace_id    text NOT NULL DEFAULT 'default' REFERENCES workspace,
  format          text NOT NULL,
  -- what is to be in the file, as the service takes it
  request         jsonb NOT NULL CHECK (jsonb_typeof(request) = 'object'),
  state           text NOT NULL DEFAULT 'QUEUED' CHECK (state IN ('QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED')),
  -- grows with every attempt; only the latest may write
  attempt         integer NOT NULL DEFAULT 0,
  features_done   integer NOT NULL DEFAULT 0,
  features_total  integer,
  left_out        integer NOT NULL DEFAULT 0,
  size_bytes      bigint,
  sha256          text,
  failure_code    text,
  failure_message text,
  created_at      timestamptz(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  alive_at        timestamptz(3),
  finished_at     timestamptz(3),
  expires_at      timestamptz(3) NOT NULL
);
CREATE INDEX export_workspace ON export (workspace_id, id);
CREATE INDEX export_due ON export (id) WHERE state IN ('QUEUED', 'RUNNING');
CREATE INDEX export_expiry ON export (expires_at);
