-- Many runs under one roof. What a job has come to is counted from its items and runs, so that no second record can differ.

CREATE TABLE job (
  id           uuid PRIMARY KEY,
  workspace_id text NOT NULL DEFAULT 'default' REFERENCES workspace,
  -- what is asked of every scene; null for a job that only registers
  questions    jsonb CHECK (jsonb_typeof(questions) = 'object'),
  paused       boolean NOT NULL DEFAULT false,
  cancelled_at timestamptz(3),
  created_at   timestamptz(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  CONSTRAINT job_of_workspace UNIQUE (workspace_id, id)
);
CREATE INDEX job_newest ON job (workspace_id, id);

-- A scene of a job. Its identifier is that of the scene, also of one that is still to be registered: a registration that is
-- done twice meets the first one's row.
CREATE TABLE job_item (
  job_id          uuid NOT NULL,
  scene_id        uuid NOT NULL,
  workspace_id    text NOT NULL DEFAULT 'default',
  -- the image to register; null for a scene that was there before
  reference       jsonb CHECK (jsonb_typeof(reference) = 'object'),
  state           text NOT NULL DEFAULT 'PENDING' CHECK (state IN ('PENDING', 'BEGUN', 'FAILED')),
  -- windows of one prompt; 0 until they are planned
  windows         int NOT NULL DEFAULT 0,
  failure_code    text,
  failure_message text,
  -- until then a process works on it
  claimed_until   timestamptz(3),
  PRIMARY KEY (job_id, scene_id),
  FOREIGN KEY (workspace_id, job_id) REFERENCES job (workspace_id, id) ON DELETE CASCADE
);
CREATE INDEX job_item_pending ON job_item (job_id, scene_id) WHERE state = 'PENDING';

CREATE TABLE job_run (
  job_id          uuid NOT NULL,
  segmentation_id uuid NOT NULL,
  workspace_id    text NOT NULL DEFAULT 'default',
  scene_id        uuid NOT NULL,
  -- stored or under way before
  reused          boolean NOT NULL,
  PRIMARY KEY (job_id, segmentation_id),
  FOREIGN KEY (workspace_id, job_id) REFERENCES job (workspace_id, id) ON DELETE CASCADE,
  FOREIGN KEY (workspace_id, segmentation_id) REFERENCES segmentation (workspace_id, id) ON DELETE CASCADE
);
CREATE INDEX job_run_segmentation ON job_run (workspace_id, segmentation_id);
