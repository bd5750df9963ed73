-- How long things are kept, and what was deleted.
ALTER TABLE scene
  -- When the scene goes with everything that was found on it; null: as the settings say.
  ADD COLUMN keep_until timestamptz(3),
  -- When the copy of its image was deleted; the scene and its answers stay.
  ADD COLUMN image_deleted_at timestamptz(3),
  ADD CONSTRAINT scene_image_deleted CHECK (image_deleted_at IS NULL OR blob_key IS NULL);
CREATE INDEX scene_keep_until ON scene (keep_until) WHERE keep_until IS NOT NULL;
CREATE INDEX scene_registered ON scene (created_at) WHERE keep_until IS NULL;
CREATE INDEX scene_copy_registered ON scene (created_at) WHERE blob_key IS NOT NULL;
CREATE INDEX segmentation_finished ON segmentation (finished_at) WHERE finished_at IS NOT NULL;

-- What was deleted, for clients that keep a copy of what is stored. Written by triggers in the transaction of the deletion,
-- and read in the order of commits like `event`.
CREATE TABLE deletion (
  id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  workspace_id    text NOT NULL DEFAULT 'default' REFERENCES workspace ON DELETE CASCADE,
  transaction     xid8 NOT NULL DEFAULT pg_current_xact_id(),
  kind            text NOT NULL CHECK (kind IN ('SCENE', 'SEGMENTATION', 'FEATURE')),
  object_id       uuid NOT NULL,
  scene_id        uuid NOT NULL,
  segmentation_id uuid,
  at              timestamptz(3) NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX deletion_of_workspace ON deletion (workspace_id, transaction, id);
CREATE INDEX deletion_newest ON deletion (transaction, id);
CREATE INDEX deletion_at ON deletion (at);

CREATE FUNCTION record_deleted_scene() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO deletion (workspace_id, kind, object_id, scene_id) VALUES (OLD.workspace_id, 'SCENE', OLD.id, OLD.id);
  RETURN NULL;
END
$$;
CREATE TRIGGER scene_deletion_recorded AFTER DELETE ON scene FOR EACH ROW EXECUTE FUNCTION record_deleted_scene();

CREATE FUNCTION record_deleted_segmentation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO deletion (workspace_id, kind, object_id, scene_id, segmentation_id)
  VALUES (OLD.workspace_id, 'SEGMENTATION', OLD.id, OLD.scene_id, OLD.id);
  RETURN NULL;
END
$$;
CREATE TRIGGER segmentation_deletion_recorded AFTER DELETE ON segmentation
  FOR EACH ROW EXECUTE FUNCTION record_deleted_segmentation();

-- Features that go with their segmentation are told by its row.
CREATE FUNCTION record_single_features() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO deletion (workspace_id, kind, object_id, scene_id, segmentation_id)
  SELECT d.workspace_id, 'FEATURE', d.id, d.scene_id, d.segmentation_id
  FROM deleted AS d JOIN segmentation AS s ON s.id = d.segmentation_id;
  RETURN NULL;
END
$$;
CREATE TRIGGER single_feature_deletion_recorded AFTER DELETE ON feature
  REFERENCING OLD TABLE AS deleted FOR EACH STATEMENT EXECUTE FUNCTION record_single_features();

-- Tiles of a scene whose image went are forgotten too.
CREATE TRIGGER scene_image_announced AFTER UPDATE OF image_deleted_at ON scene FOR EACH ROW EXECUTE FUNCTION announce_scene();
