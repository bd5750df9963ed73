-- The square kilometre that a feature is counted in, so that no centroid is transformed when features are counted: columns
-- to the east and rows to the north of 0° E 0° N in the plane of EPSG:6933 (EASE-Grid 2.0 Global, equal-area). Null without
-- georeference. ST_Transform is immutable, as what it needs to know of a coordinate system never changes.

ALTER TABLE feature
  ADD COLUMN cell_column integer GENERATED ALWAYS AS (floor(ST_X(ST_Transform(centroid, 6933)) / 1000)::integer) STORED,
  ADD COLUMN cell_row    integer GENERATED ALWAYS AS (floor(ST_Y(ST_Transform(centroid, 6933)) / 1000)::integer) STORED;
