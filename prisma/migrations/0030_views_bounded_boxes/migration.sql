-- Boxes that hold some outlines, `[[west, south, east, north], ...]`, at most `most` of them and null without outlines. The parts
-- of outlines are walked along the curve by which geometries are sorted, and the walk is broken where it leaps farthest, so that
-- a box holds what lies together.
CREATE FUNCTION boxes_around(outlines geometry[], most integer) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  WITH part AS (
    SELECT outline AS geom FROM unnest(outlines) AS outline WHERE ST_XMax(outline) - ST_XMin(outline) <= 180
    UNION ALL
    SELECT (ST_Dump(outline)).geom FROM unnest(outlines) AS outline WHERE ST_XMax(outline) - ST_XMin(outline) > 180
  ), walked AS (
    SELECT geom, row_number() OVER walk AS step,
           ST_Distance(ST_Envelope(geom), ST_Envelope(lag(geom) OVER walk)) AS leap
    FROM part WINDOW walk AS (ORDER BY ST_PointOnSurface(ST_Envelope(geom)))
  ), broken AS (
    SELECT geom, step, row_number() OVER (ORDER BY leap DESC NULLS FIRST, step) <= most AS starts FROM walked
  ), boxed AS (
    SELECT geom, count(*) FILTER (WHERE starts) OVER (ORDER BY step) AS box FROM broken
  )
  SELECT jsonb_agg(jsonb_build_array(west, south, east, north))
  FROM (
    SELECT min(ST_XMin(geom)) AS west, min(ST_YMin(geom)) AS south, max(ST_XMax(geom)) AS east, max(ST_YMax(geom)) AS north
    FROM boxed GROUP BY box ORDER BY box
  ) AS boxes
$$;

-- As before, but what many reviews at once touch is no longer told as the whole Earth. A notification has 8,000 bytes at most.
CREATE OR REPLACE FUNCTION announce_reviews() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE boxes jsonb;
BEGIN
  SELECT boxes_around(array_agg(f.geometry), 50) INTO boxes
  FROM added AS r JOIN feature AS f ON f.id = r.feature_id WHERE f.geometry IS NOT NULL;
  IF boxes IS NOT NULL THEN PERFORM pg_notify('terraql_features', boxes::text); END IF;
  RETURN NULL;
END
$$;
