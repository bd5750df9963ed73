-- Until when the process that lists the scenes of a job is taken to be alive; null once all are listed. A job whose time has
-- passed lacks scenes.
ALTER TABLE job ADD COLUMN listing_until timestamptz;
