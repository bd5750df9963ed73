-- Addresses that are told of events.
CREATE TABLE webhook (
  id            uuid PRIMARY KEY,
  workspace_id  text NOT NULL DEFAULT 'default' REFERENCES workspace ON DELETE CASCADE,
  url           text NOT NULL CHECK (url LIKE 'https://%'),
  description   text NOT NULL DEFAULT '',
  events        text[] NOT NULL CHECK (cardinality(events) > 0),
  -- Which features it is told of: a filter, or that of a view; all of them without either.
  filter        jsonb,
  view_id       uuid REFERENCES view ON DELETE CASCADE,
  -- Messages are signed with both until the former one expires.
  secret        text NOT NULL,
  former_secret text,
  former_until  timestamptz(3),
  state         text NOT NULL DEFAULT 'ACTIVE' CHECK (state IN ('ACTIVE', 'PAUSED')),
  paused_reason text,
  failing_since timestamptz(3),
  -- Position in the outbox up to which its deliveries are made.
  transaction   xid8 NOT NULL DEFAULT pg_snapshot_xmin(pg_current_snapshot()),
  event_id      bigint NOT NULL DEFAULT 0,
  created_by    text NOT NULL CHECK (created_by <> ''),
  created_at    timestamptz(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  CHECK (filter IS NULL OR view_id IS NULL)
);
CREATE INDEX webhook_of_workspace ON webhook (workspace_id, id);
CREATE INDEX webhook_of_view ON webhook (view_id) WHERE view_id IS NOT NULL;

-- Messages, one for each event that an address is told of. WAITING ones are the queue.
CREATE TABLE webhook_delivery (
  id               uuid PRIMARY KEY,
  workspace_id     text NOT NULL DEFAULT 'default' REFERENCES workspace ON DELETE CASCADE,
  webhook_id       uuid NOT NULL REFERENCES webhook ON DELETE CASCADE,
  -- Order in which messages of one object are delivered.
  sequence         bigint GENERATED ALWAYS AS IDENTITY,
  event_id         bigint NOT NULL,
  type             text NOT NULL,
  object_id        uuid NOT NULL,
  body             text NOT NULL,
  state            text NOT NULL DEFAULT 'WAITING' CHECK (state IN ('WAITING', 'DELIVERED', 'DEAD')),
  attempts         integer NOT NULL DEFAULT 0,
  due_at           timestamptz(3) NOT NULL,
  first_attempt_at timestamptz(3),
  created_at       timestamptz(3) NOT NULL,
  finished_at      timestamptz(3),
  -- What the last attempts came to, oldest first.
  answers          jsonb NOT NULL DEFAULT '[]',
  UNIQUE (webhook_id, event_id),
  CHECK ((state = 'WAITING') = (finished_at IS NULL))
);
CREATE INDEX webhook_delivery_due ON webhook_delivery (due_at) WHERE state = 'WAITING';
CREATE INDEX webhook_delivery_line ON webhook_delivery (webhook_id, object_id, sequence) WHERE state = 'WAITING';
CREATE INDEX webhook_delivery_newest ON webhook_delivery (webhook_id, id DESC);
CREATE INDEX webhook_delivery_finished ON webhook_delivery (finished_at) WHERE finished_at IS NOT NULL;
