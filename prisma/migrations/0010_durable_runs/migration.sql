-- Runs that outlive their process: a queue in this database, and rows that know who works on them.

-- What PgBoss.getConstructionPlans('terraql_queue') of pg-boss 10.4.2 gives (its schema 24), without its own transaction.
CREATE SCHEMA IF NOT EXISTS terraql_queue;

CREATE TYPE terraql_queue.job_state AS ENUM (
  'created',
  'retry',
  'active',
  'completed',
  'cancelled',
  'failed'
);

CREATE TABLE terraql_queue.version (
  version int primary key,
  maintained_on timestamp with time zone,
  cron_on timestamp with time zone,
  monitored_on timestamp with time zone
);

CREATE TABLE terraql_queue.queue (
  name text,
  policy text,
  retry_limit int,
  retry_delay int,
  retry_backoff bool,
  expire_seconds int,
  retention_minutes int,
  dead_letter text REFERENCES terraql_queue.queue (name),
  partition_name text,
  created_on timestamp with time zone not null default now(),
  updated_on timestamp with time zone not null default now(),
  PRIMARY KEY (name)
);

CREATE TABLE terraql_queue.schedule (
  name text REFERENCES terraql_queue.queue ON DELETE CASCADE,
  cron text not null,
  timezone text,
  data jsonb,
  options jsonb,
  created_on timestamp with time zone not null default now(),
  updated_on timestamp with time zone not null default now(),
  PRIMARY KEY (name)
);

CREATE TABLE terraql_queue.subscription (
  event text not null,
  name text not null REFERENCES terraql_queue.queue ON DELETE CASCADE,
  created_on timestamp with time zone not null default now(),
  updated_on timestamp with time zone not null default now(),
  PRIMARY KEY(event, name)
);

CREATE TABLE terraql_queue.job (
  id uuid not null default gen_random_uuid(),
  name text not null,
  priority integer not null default(0),
  data jsonb,
  state terraql_queue.job_state not null default('created'),
  retry_limit integer not null default(2),
  retry_count integer not null default(0),
  retry_delay integer not null default(0),
  retry_backoff boolean not null default false,
  start_after timestamp with time zone not null default now(),
  started_on timestamp with time zone,
  singleton_key text,
  singleton_on timestamp without time zone,
  expire_in interval not null default interval '15 minutes',
  created_on timestamp with time zone not null default now(),
  completed_on timestamp with time zone,
  keep_until timestamp with time zone NOT NULL default now() + interval '14 days',
  output jsonb,
  dead_letter text,
  policy text
) PARTITION BY LIST (name);
ALTER TABLE terraql_queue.job ADD PRIMARY KEY (name, id);
CREATE TABLE terraql_queue.archive (LIKE terraql_queue.job);
ALTER TABLE terraql_queue.archive ADD PRIMARY KEY (name, id);
ALTER TABLE terraql_queue.archive ADD archived_on timestamptz NOT NULL DEFAULT now();
CREATE INDEX archive_i1 ON terraql_queue.archive(archived_on);

CREATE FUNCTION terraql_queue.create_queue(queue_name text, options json)
RETURNS VOID AS
$$
DECLARE
  table_name varchar := 'j' || encode(sha224(queue_name::bytea), 'hex');
  queue_created_on timestamptz;
BEGIN

  WITH q as (
  INSERT INTO terraql_queue.queue (
    name,
    policy,
    retry_limit,
    retry_delay,
    retry_backoff,
    expire_seconds,
    retention_minutes,
    dead_letter,
    partition_name
  )
  VALUES (
    queue_name,
    options->>'policy',
    (options->>'retryLimit')::int,
    (options->>'retryDelay')::int,
    (options->>'retryBackoff')::bool,
    (options->>'expireInSeconds')::int,
    (options->>'retentionMinutes')::int,
    options->>'deadLetter',
    table_name
  )
  ON CONFLICT DO NOTHING
  RETURNING created_on
  )
  SELECT created_on into queue_created_on from q;

  IF queue_created_on IS NULL THEN
    RETURN;
  END IF;

  EXECUTE format('CREATE TABLE terraql_queue.%I (LIKE terraql_queue.job INCLUDING DEFAULTS)', table_name);

  EXECUTE format('ALTER TABLE terraql_queue.%1$I ADD PRIMARY KEY (name, id)', table_name);
  EXECUTE format('ALTER TABLE terraql_queue.%1$I ADD CONSTRAINT q_fkey FOREIGN KEY (name) REFERENCES terraql_queue.queue (name) ON DELETE RESTRICT DEFERRABLE INITIALLY DEFERRED', table_name);
  EXECUTE format('ALTER TABLE terraql_queue.%1$I ADD CONSTRAINT dlq_fkey FOREIGN KEY (dead_letter) REFERENCES terraql_queue.queue (name) ON DELETE RESTRICT DEFERRABLE INITIALLY DEFERRED', table_name);
  EXECUTE format('CREATE UNIQUE INDEX %1$s_i1 ON terraql_queue.%1$I (name, COALESCE(singleton_key, '''')) WHERE state = ''created'' AND policy = ''short''', table_name);
  EXECUTE format('CREATE UNIQUE INDEX %1$s_i2 ON terraql_queue.%1$I (name, COALESCE(singleton_key, '''')) WHERE state = ''active'' AND policy = ''singleton''', table_name);
  EXECUTE format('CREATE UNIQUE INDEX %1$s_i3 ON terraql_queue.%1$I (name, state, COALESCE(singleton_key, '''')) WHERE state <= ''active'' AND policy = ''stately''', table_name);
  EXECUTE format('CREATE UNIQUE INDEX %1$s_i4 ON terraql_queue.%1$I (name, singleton_on, COALESCE(singleton_key, '''')) WHERE state <> ''cancelled'' AND singleton_on IS NOT NULL', table_name);
  EXECUTE format('CREATE INDEX %1$s_i5 ON terraql_queue.%1$I (name, start_after) INCLUDE (priority, created_on, id) WHERE state < ''active''', table_name);

  EXECUTE format('ALTER TABLE terraql_queue.%I ADD CONSTRAINT cjc CHECK (name=%L)', table_name, queue_name);
  EXECUTE format('ALTER TABLE terraql_queue.job ATTACH PARTITION terraql_queue.%I FOR VALUES IN (%L)', table_name, queue_name);
END;
$$
LANGUAGE plpgsql;;

CREATE FUNCTION terraql_queue.delete_queue(queue_name text)
RETURNS VOID AS
$$
DECLARE
  table_name varchar;
BEGIN
  WITH deleted as (
    DELETE FROM terraql_queue.queue
    WHERE name = queue_name
    RETURNING partition_name
  )
  SELECT partition_name from deleted INTO table_name;

  EXECUTE format('DROP TABLE IF EXISTS terraql_queue.%I', table_name);
END;
$$
LANGUAGE plpgsql;;
INSERT INTO terraql_queue.version(version) VALUES ('24');

-- A job is a batch that waits. It is taken out in the transaction that makes its rows RUNNING, so it is never seen active.
SELECT terraql_queue.create_queue('segmentation', '{"policy": "standard", "retryLimit": 0, "retentionMinutes": 10512000}');

ALTER TABLE segmentation
  -- number of the advisory lock that the process holds which works on the row
  ADD COLUMN worker integer,
  -- hash of all that decides the answer; rows with the same one are the same work
  ADD COLUMN identity text CHECK (identity ~ '^[0-9a-f]{64}$'),
  -- attempts in a row that ended without one more window done
  ADD COLUMN stalls integer NOT NULL DEFAULT 0 CHECK (stalls >= 0),
  DROP COLUMN idempotency_key,
  DROP CONSTRAINT segmentation_failed_has_failure,
  -- a row that waits keeps why its last attempt ended
  ADD CONSTRAINT segmentation_failure_of_state CHECK
    (CASE state WHEN 'FAILED' THEN failure_code IS NOT NULL WHEN 'QUEUED' THEN TRUE ELSE failure_code IS NULL END),
  ADD CONSTRAINT segmentation_worker_when_running CHECK (state = 'RUNNING' OR worker IS NULL);
CREATE INDEX segmentation_identity ON segmentation (scene_id, identity) WHERE identity IS NOT NULL;
CREATE INDEX segmentation_failed ON segmentation (id) WHERE state = 'FAILED';

-- The first answer of each idempotency key.
CREATE TABLE segment_request (
  key              text PRIMARY KEY,
  arguments_sha256 text NOT NULL CHECK (arguments_sha256 ~ '^[0-9a-f]{64}$'),
  segmentation_ids uuid[] NOT NULL,
  created_at       timestamptz(3) NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX segment_request_created_at ON segment_request (created_at);

-- Every change that somebody may wait for is announced, whoever makes it: `<id> <state>`, or `<id> DELETED`.
CREATE FUNCTION announce_segmentation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN PERFORM pg_notify('terraql_segmentation', OLD.id || ' DELETED');
  ELSE PERFORM pg_notify('terraql_segmentation', NEW.id || ' ' || NEW.state);
  END IF;
  RETURN NULL;
END
$$;
CREATE TRIGGER segmentation_announced
  AFTER INSERT OR DELETE OR UPDATE OF state, phase, windows_done, windows_total, eta_s, failure_code ON segmentation
  FOR EACH ROW EXECUTE FUNCTION announce_segmentation();

-- What waited before there was a queue waits in it now; what ran is found without its process and put back.
INSERT INTO terraql_queue.job (name, data, keep_until)
SELECT 'segmentation', jsonb_build_object('batchId', batch_id, 'modelId', min(model_id)), now() + interval '20 years'
FROM segmentation WHERE state = 'QUEUED' GROUP BY batch_id;
