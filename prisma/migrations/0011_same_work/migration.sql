-- One picture may be registered as several scenes; a question about it is the same work on each of them.

ALTER TABLE segmentation
  -- asked anew although the same work may be stored: it waits for no other run and copies no answer
  ADD COLUMN forced boolean NOT NULL DEFAULT FALSE;

DROP INDEX segmentation_identity;
CREATE INDEX segmentation_identity ON segmentation (identity, scene_id, id) WHERE identity IS NOT NULL;
