-- Keys belong to a workspace that exists.
ALTER TABLE api_key ADD FOREIGN KEY (workspace_id) REFERENCES workspace;

-- Who did what on which object. Rows are added, and removed by retention; nobody changes one, and no role but the owner of
-- the table removes one.
CREATE TABLE audit (
  id           uuid PRIMARY KEY,
  workspace_id text NOT NULL DEFAULT 'default' REFERENCES workspace,
  at           timestamptz(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  subject      text NOT NULL,
  role         text NOT NULL,
  action       text NOT NULL CHECK (action <> ''),
  target       text,
  request_id   text NOT NULL,
  address      text NOT NULL
);
CREATE INDEX audit_newest ON audit (workspace_id, id DESC);
CREATE INDEX audit_at ON audit (at);

CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' AND pg_has_role(current_user, (SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'MEMBER') THEN
    RETURN NULL;
  END IF;
  RAISE EXCEPTION 'the audit is only added to' USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
  FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();

-- What a workspace may use up, where that is not what the settings say.
CREATE TABLE quota (
  workspace_id        text PRIMARY KEY DEFAULT 'default' REFERENCES workspace,
  requests_per_minute bigint CHECK (requests_per_minute > 0),
  cost_per_minute     bigint CHECK (cost_per_minute > 0)
);

-- Counters of the present minute, shared by the processes that serve; in the form that rate-limiter-flexible keeps.
CREATE UNLOGGED TABLE rate_limit (
  key    text PRIMARY KEY,
  points integer NOT NULL DEFAULT 0,
  expire bigint
);
