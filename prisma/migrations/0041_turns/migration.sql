-- Workers take batches in turn between workspaces: the next is of the one that was served longest ago.
ALTER TABLE workspace ADD COLUMN served_at timestamptz;
CREATE INDEX workspace_turn ON workspace (served_at NULLS FIRST, id);

CREATE INDEX job_of_workspace ON terraql_queue.job ((data->>'workspace'), priority DESC, created_on, id)
  WHERE state < 'active';
