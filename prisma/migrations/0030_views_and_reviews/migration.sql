-- Saved views: a filter with a name, an order and a style, which tiles, files and other outlets follow.
CREATE TABLE view (
  id         uuid PRIMARY KEY,
  slug       text NOT NULL CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND length(slug) <= 100),
  name       text NOT NULL CHECK (name <> '' AND length(name) <= 200),
  -- as the API takes it
  filter     jsonb NOT NULL CHECK (jsonb_typeof(filter) = 'object'),
  order_by   jsonb CHECK (jsonb_typeof(order_by) = 'object'),
  style      jsonb CHECK (pg_column_size(style) <= 65536),
  created_at timestamptz(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  updated_at timestamptz(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  CONSTRAINT view_slug UNIQUE (slug)
);

-- What people said of features, every word of it; the model's answer itself is never changed.
CREATE TABLE review (
  id         uuid PRIMARY KEY,
  feature_id uuid NOT NULL REFERENCES feature ON DELETE CASCADE,
  scene_id   uuid NOT NULL REFERENCES scene ON DELETE CASCADE,
  status     text NOT NULL CHECK (status IN ('UNREVIEWED', 'ACCEPTED', 'REJECTED')),
  label      text CHECK (label <> '' AND length(label) <= 200),
  note       text CHECK (note <> '' AND length(note) <= 2000),
  reviewer   text NOT NULL CHECK (reviewer <> ''),
  at         timestamptz(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  -- the newest of its feature
  is_current boolean NOT NULL DEFAULT true
);
CREATE UNIQUE INDEX review_current ON review (feature_id) WHERE is_current;
CREATE INDEX review_status ON review (status, feature_id) WHERE is_current;
CREATE INDEX review_label ON review (label, feature_id) WHERE is_current AND label IS NOT NULL;
CREATE INDEX review_history ON review (feature_id, at DESC);
CREATE INDEX review_scene ON review (scene_id);

-- Every change of features is announced with the boxes that hold them, `[[west, south, east, north], ...]`: one for each
-- hemisphere, so that features on both sides of the antimeridian do not announce the whole Earth.
CREATE FUNCTION announce_features() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE boxes jsonb;
BEGIN
  SELECT jsonb_agg(jsonb_build_array(west, south, east, north)) INTO boxes
  FROM (
    SELECT min(ST_XMin(part.geom)) AS west, min(ST_YMin(part.geom)) AS south, max(ST_XMax(part.geom)) AS east, max(ST_YMax(part.geom)) AS north
    FROM changed AS c CROSS JOIN LATERAL (
      SELECT c.geometry AS geom WHERE ST_XMax(c.geometry) - ST_XMin(c.geometry) <= 180
      UNION ALL
      SELECT (ST_Dump(c.geometry)).geom WHERE ST_XMax(c.geometry) - ST_XMin(c.geometry) > 180
    ) AS part
    WHERE c.geometry IS NOT NULL
    GROUP BY ST_XMin(part.geom) + ST_XMax(part.geom) < 0
  ) AS extents;
  IF boxes IS NOT NULL THEN PERFORM pg_notify('terraql_features', boxes::text); END IF;
  RETURN NULL;
END
$$;
CREATE TRIGGER feature_added AFTER INSERT ON feature
  REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION announce_features();
CREATE TRIGGER feature_deleted AFTER DELETE ON feature
  REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION announce_features();

-- A review changes how its feature is drawn.
CREATE FUNCTION announce_reviews() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE boxes jsonb;
BEGIN
  SELECT jsonb_agg(jsonb_build_array(ST_XMin(f.geometry), ST_YMin(f.geometry), ST_XMax(f.geometry), ST_YMax(f.geometry))) INTO boxes
  FROM (SELECT feature_id FROM added LIMIT 50) AS r JOIN feature AS f ON f.id = r.feature_id WHERE f.geometry IS NOT NULL;
  IF (SELECT count(*) FROM (SELECT FROM added LIMIT 51) AS many) > 50 THEN
    SELECT jsonb_build_array(jsonb_build_array(-180, -90, 180, 90)) INTO boxes;
  END IF;
  IF boxes IS NOT NULL THEN PERFORM pg_notify('terraql_features', boxes::text); END IF;
  RETURN NULL;
END
$$;
CREATE TRIGGER review_added AFTER INSERT ON review
  REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION announce_reviews();

-- Pictures of scenes change with the scenes.
CREATE FUNCTION announce_scene() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE outline geometry := CASE TG_OP WHEN 'DELETE' THEN OLD.footprint ELSE NEW.footprint END;
BEGIN
  IF outline IS NOT NULL THEN
    PERFORM pg_notify('terraql_scenes', (
      SELECT jsonb_agg(jsonb_build_array(ST_XMin(part.geom), ST_YMin(part.geom), ST_XMax(part.geom), ST_YMax(part.geom)))
      FROM ST_Dump(outline) AS part)::text);
  END IF;
  RETURN NULL;
END
$$;
CREATE TRIGGER scene_announced AFTER INSERT OR DELETE ON scene FOR EACH ROW EXECUTE FUNCTION announce_scene();
