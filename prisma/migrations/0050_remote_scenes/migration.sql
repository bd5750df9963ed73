-- Scenes that are read by range where they lie: `{ url, etag, sizeBytes, item }`. The URL may have a signature and is shown
-- to nobody. `sha256` is then the hash of entity tag, size and first bytes.
ALTER TABLE scene ADD COLUMN remote jsonb CHECK (jsonb_typeof(remote) = 'object');
ALTER TABLE scene ADD CONSTRAINT scene_one_place CHECK (remote IS NULL OR blob_key IS NULL);
