-- The fill around the picture of a turned or warped image that names no nodata: {"value", "tolerance", "picture", "share"}.
ALTER TABLE scene ADD COLUMN collar jsonb CHECK (jsonb_typeof(collar) = 'object');
