-- Whom the tile service that a scene was made of wants to be named, as plain text.
ALTER TABLE scene ADD COLUMN attribution text;
