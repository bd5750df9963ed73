-- How much longer than wide a feature is, from the rectangle that `long_side_bearing` takes its azimuth of: found in the plane
-- that touches the ellipsoid at the middle latitude, so that its sides are metres.
CREATE FUNCTION elongation(outline geometry) RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT 1 - least(ab, bc) / nullif(greatest(ab, bc), 0)
  FROM (
    SELECT ST_Distance(ST_PointN(ring, 1), ST_PointN(ring, 2)) AS ab, ST_Distance(ST_PointN(ring, 2), ST_PointN(ring, 3)) AS bc
    FROM (
      SELECT ST_ExteriorRing(ST_OrientedEnvelope(
               ST_SetSRID(ST_Scale(ST_Translate(whole, -ST_XMin(whole), -ST_YMin(whole)), m.east, m.north), 0))) AS ring
      FROM (SELECT unwrapped(outline) AS whole OFFSET 0) AS w, metres_per_degree((ST_YMin(whole) + ST_YMax(whole)) / 2) AS m
      OFFSET 0
    ) AS r
    OFFSET 0
  ) AS sides
$$;

ALTER TABLE feature ADD COLUMN elongation double precision CHECK (elongation >= 0 AND elongation <= 1);
UPDATE feature SET elongation = elongation(geometry) WHERE geometry IS NOT NULL;

CREATE INDEX feature_most_elongated ON feature (COALESCE(elongation, '-Infinity'::double precision), id);
CREATE INDEX feature_least_elongated ON feature (COALESCE(elongation, 'Infinity'::double precision), id);
