-- The sweeper asks which copies of files a scene has.

CREATE INDEX scene_blob_key ON scene (blob_key) WHERE blob_key IS NOT NULL;
