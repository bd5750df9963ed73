-- The trace of the request that asked, so that the worker of another process continues it.
ALTER TABLE segmentation ADD COLUMN traceparent text;
