-- What a workspace may have at a time, where that is not what the settings say.
ALTER TABLE quota
  ADD COLUMN waiting_windows bigint CHECK (waiting_windows >= 0),
  ADD COLUMN bytes_stored bigint CHECK (bytes_stored >= 0),
  ADD COLUMN features bigint CHECK (features >= 0);

-- Windows that a run needs, known before it begins; those of runs that are older than this column count when they begin.
ALTER TABLE segmentation ADD COLUMN windows_planned integer NOT NULL DEFAULT 0 CHECK (windows_planned >= 0);

CREATE INDEX segmentation_waiting ON segmentation (workspace_id) WHERE state IN ('QUEUED', 'RUNNING');
CREATE INDEX segmentation_features ON segmentation (workspace_id) INCLUDE (feature_count) WHERE feature_count > 0;
CREATE INDEX scene_copies ON scene (workspace_id) INCLUDE (blob_bytes) WHERE blob_bytes IS NOT NULL;
