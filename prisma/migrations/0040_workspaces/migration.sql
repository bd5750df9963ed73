-- Workspaces own what is stored, and what is stored already belongs to `default`.

CREATE TABLE workspace (
  id         text PRIMARY KEY CHECK (id ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND length(id) <= 63),
  name       text NOT NULL CHECK (name <> '' AND length(name) <= 200),
  created_at timestamptz(3) NOT NULL DEFAULT CURRENT_TIMESTAMP
);
INSERT INTO workspace (id, name) VALUES ('default', 'Default');

ALTER TABLE scene
  ADD COLUMN workspace_id text NOT NULL DEFAULT 'default' REFERENCES workspace,
  ADD CONSTRAINT scene_of_workspace UNIQUE (workspace_id, id);
ALTER TABLE segmentation ADD COLUMN workspace_id text NOT NULL DEFAULT 'default';
ALTER TABLE mask ADD COLUMN workspace_id text NOT NULL DEFAULT 'default';
ALTER TABLE feature ADD COLUMN workspace_id text NOT NULL DEFAULT 'default';
ALTER TABLE feature_adjacency ADD COLUMN workspace_id text NOT NULL DEFAULT 'default';
ALTER TABLE review ADD COLUMN workspace_id text NOT NULL DEFAULT 'default';
ALTER TABLE view
  ADD COLUMN workspace_id text NOT NULL DEFAULT 'default' REFERENCES workspace,
  DROP CONSTRAINT view_slug,
  ADD CONSTRAINT view_slug UNIQUE (workspace_id, slug);
ALTER TABLE segment_request
  ADD COLUMN workspace_id text NOT NULL DEFAULT 'default' REFERENCES workspace,
  DROP CONSTRAINT segment_request_pkey,
  ADD PRIMARY KEY (workspace_id, key);

-- What is found on a scene belongs to the workspace of the scene: a foreign key of both columns keeps it so.
ALTER TABLE segmentation
  DROP CONSTRAINT segmentation_scene_id_fkey,
  ADD FOREIGN KEY (workspace_id, scene_id) REFERENCES scene (workspace_id, id) ON DELETE CASCADE,
  ADD CONSTRAINT segmentation_of_workspace UNIQUE (workspace_id, id);
ALTER TABLE mask
  DROP CONSTRAINT mask_segmentation_id_fkey,
  ADD FOREIGN KEY (workspace_id, segmentation_id) REFERENCES segmentation (workspace_id, id) ON DELETE CASCADE;
ALTER TABLE feature
  DROP CONSTRAINT feature_segmentation_id_fkey,
  ADD FOREIGN KEY (workspace_id, segmentation_id) REFERENCES segmentation (workspace_id, id) ON DELETE CASCADE;
ALTER TABLE feature ADD CONSTRAINT feature_of_workspace UNIQUE (workspace_id, id);
ALTER TABLE feature_adjacency
  DROP CONSTRAINT feature_adjacency_feature_a_fkey,
  DROP CONSTRAINT feature_adjacency_feature_b_fkey,
  ADD FOREIGN KEY (workspace_id, feature_a) REFERENCES feature (workspace_id, id) ON DELETE CASCADE,
  ADD FOREIGN KEY (workspace_id, feature_b) REFERENCES feature (workspace_id, id) ON DELETE CASCADE,
  DROP CONSTRAINT feature_adjacency_scene_id_fkey,
  ADD FOREIGN KEY (workspace_id, scene_id) REFERENCES scene (workspace_id, id) ON DELETE CASCADE;
ALTER TABLE review
  DROP CONSTRAINT review_feature_id_fkey,
  ADD FOREIGN KEY (workspace_id, feature_id) REFERENCES feature (workspace_id, id) ON DELETE CASCADE,
  DROP CONSTRAINT review_scene_id_fkey,
  ADD FOREIGN KEY (workspace_id, scene_id) REFERENCES scene (workspace_id, id) ON DELETE CASCADE;

-- The same work is shared within a workspace.
DROP INDEX segmentation_identity;
CREATE INDEX segmentation_identity ON segmentation (workspace_id, identity, scene_id, id) WHERE identity IS NOT NULL;

-- Indexes begin with the workspace where a small one would otherwise be looked for among the rows of large ones.
DROP INDEX feature_cell, feature_largest, feature_smallest, feature_longest, feature_shortest, feature_most_compact,
  feature_least_compact, feature_mean_probability, feature_most_elongated, feature_least_elongated, feature_most_probable,
  feature_least_probable;
CREATE INDEX feature_cell ON feature (workspace_id, cell_column, cell_row)
  INCLUDE (bounds, area_m2, perimeter_m, pixel_count, mean_probability, scene_id, segmentation_id);
CREATE INDEX feature_largest ON feature (workspace_id, COALESCE(area_m2, '-Infinity'::double precision), id);
CREATE INDEX feature_smallest ON feature (workspace_id, COALESCE(area_m2, 'Infinity'::double precision), id);
CREATE INDEX feature_longest ON feature (workspace_id, COALESCE(perimeter_m, '-Infinity'::double precision), id);
CREATE INDEX feature_shortest ON feature (workspace_id, COALESCE(perimeter_m, 'Infinity'::double precision), id);
CREATE INDEX feature_most_compact ON feature (workspace_id, COALESCE(compactness, '-Infinity'::double precision), id);
CREATE INDEX feature_least_compact ON feature (workspace_id, COALESCE(compactness, 'Infinity'::double precision), id);
CREATE INDEX feature_mean_probability ON feature (workspace_id, mean_probability, id);
CREATE INDEX feature_most_elongated ON feature (workspace_id, COALESCE(elongation, '-Infinity'::double precision), id);
CREATE INDEX feature_least_elongated ON feature (workspace_id, COALESCE(elongation, 'Infinity'::double precision), id);
CREATE INDEX feature_most_probable ON feature (workspace_id, COALESCE(max_probability, '-Infinity'::double precision), id);
CREATE INDEX feature_least_probable ON feature (workspace_id, COALESCE(max_probability, 'Infinity'::double precision), id);

-- A waiting batch knows its workspace.
UPDATE terraql_queue.job SET data = data || '{"workspace": "default"}';

-- Announced with the workspace, `{"workspace": "default", "boxes": [[west, south, east, north], ...]}`: the boxes of features,
-- one for each hemisphere, so that features on both sides of the antimeridian do not announce the whole Earth.
CREATE OR REPLACE FUNCTION announce_features() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE owned record;
BEGIN
  FOR owned IN
    SELECT workspace_id, jsonb_agg(jsonb_build_array(west, south, east, north)) AS boxes
    FROM (
      SELECT c.workspace_id, min(ST_XMin(part.geom)) AS west, min(ST_YMin(part.geom)) AS south,
             max(ST_XMax(part.geom)) AS east, max(ST_YMax(part.geom)) AS north
      FROM changed AS c CROSS JOIN LATERAL (
        SELECT c.geometry AS geom WHERE ST_XMax(c.geometry) - ST_XMin(c.geometry) <= 180
        UNION ALL
        SELECT (ST_Dump(c.geometry)).geom WHERE ST_XMax(c.geometry) - ST_XMin(c.geometry) > 180
      ) AS part
      WHERE c.geometry IS NOT NULL
      GROUP BY c.workspace_id, ST_XMin(part.geom) + ST_XMax(part.geom) < 0
    ) AS extents
    GROUP BY workspace_id
  LOOP
    PERFORM pg_notify('terraql_features', jsonb_build_object('workspace', owned.workspace_id, 'boxes', owned.boxes)::text);
  END LOOP;
  RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION announce_reviews() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE owned record;
BEGIN
  FOR owned IN
    SELECT r.workspace_id, CASE WHEN count(*) > 50 THEN jsonb_build_array(jsonb_build_array(-180, -90, 180, 90))
      ELSE jsonb_agg(jsonb_build_array(ST_XMin(f.geometry), ST_YMin(f.geometry), ST_XMax(f.geometry), ST_YMax(f.geometry)))
      END AS boxes
    FROM (SELECT workspace_id, feature_id FROM added LIMIT 51) AS r JOIN feature AS f ON f.id = r.feature_id
    WHERE f.geometry IS NOT NULL
    GROUP BY r.workspace_id
  LOOP
    PERFORM pg_notify('terraql_features', jsonb_build_object('workspace', owned.workspace_id, 'boxes', owned.boxes)::text);
  END LOOP;
  RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION announce_scene() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE changed scene := CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
BEGIN
  IF changed.footprint IS NOT NULL THEN
    PERFORM pg_notify('terraql_scenes', (
      SELECT jsonb_build_object('workspace', changed.workspace_id, 'boxes', jsonb_agg(
        jsonb_build_array(ST_XMin(part.geom), ST_YMin(part.geom), ST_XMax(part.geom), ST_YMax(part.geom))))
      FROM ST_Dump(changed.footprint) AS part)::text);
  END IF;
  RETURN NULL;
END
$$;
