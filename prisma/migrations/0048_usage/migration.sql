-- What workspaces used up, by day (UTC) and model; the empty model stands for what no model did. Processes add to a row what
-- they counted in some seconds, so that its number of writes does not grow with that of requests.
CREATE TABLE usage (
  workspace_id text NOT NULL DEFAULT 'default' REFERENCES workspace,
  day          date NOT NULL,
  model        text NOT NULL DEFAULT '',
  requests     bigint NOT NULL DEFAULT 0,
  cost         double precision NOT NULL DEFAULT 0,
  windows      bigint NOT NULL DEFAULT 0,
  model_s      double precision NOT NULL DEFAULT 0,
  area_km2     double precision NOT NULL DEFAULT 0,
  bytes_stored bigint NOT NULL DEFAULT 0,
  bytes_sent   bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (workspace_id, day, model)
);

-- Size of the copy that a scene has of its file; unknown for scenes that are older than this column.
ALTER TABLE scene ADD COLUMN blob_bytes bigint CHECK (blob_bytes >= 0);
