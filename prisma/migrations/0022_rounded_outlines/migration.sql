-- An outline on a grid of decimal places of a degree, valid and wound by RFC 7946 (exterior rings counter-clockwise). Parts
-- thinner than the grid vanish; where all of an outline would, each of its parts becomes the cells of the grid around it. GEOS
-- fails where vertices lie halfway between points of the grid, as those of pixels of a round number of degrees may: a shift by
-- a hundredth of a step, which no vertex on the grid leaves it by, keeps them off.
CREATE FUNCTION rounded(outline geometry, places integer) RETURNS geometry
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT ST_ForcePolygonCCW(ST_Normalize(CASE WHEN ST_IsEmpty(reduced) THEN (
    SELECT ST_ReducePrecision(ST_Union(ST_MakeEnvelope(
      least(floor(ST_XMin(part.geom) * steps), 180 * steps - 1) / steps,
      least(floor(ST_YMin(part.geom) * steps), 90 * steps - 1) / steps,
      greatest(ceil(ST_XMax(part.geom) * steps), least(floor(ST_XMin(part.geom) * steps), 180 * steps - 1) + 1) / steps,
      greatest(ceil(ST_YMax(part.geom) * steps), least(floor(ST_YMin(part.geom) * steps), 90 * steps - 1) + 1) / steps,
      4326)), 1 / steps)
    FROM ST_Dump(outline) AS part
  ) ELSE reduced END))
  FROM (
    SELECT 10::float8 ^ places AS steps, ST_ReducePrecision(
             ST_Translate(outline, 0.0123 * 10::float8 ^ -places, 0.0077 * 10::float8 ^ -places), 10::float8 ^ -places) AS reduced
    OFFSET 0
  ) AS grid
$$;

-- As before, with a valid result: scaling back to degrees rounds, and what is left of several parts may touch along a line.
CREATE OR REPLACE FUNCTION simplified(outline geometry, metres double precision) RETURNS geometry
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT CASE WHEN ST_IsValid(simple) THEN simple ELSE ST_CollectionExtract(ST_MakeValid(simple, 'method=structure'), 3) END
  FROM (
    SELECT ST_Scale(ST_SimplifyPreserveTopology(ST_Scale(outline, m.east, m.north), metres), 1 / m.east, 1 / m.north) AS simple
    FROM metres_per_degree((ST_YMin(outline) + ST_YMax(outline)) / 2) AS m
    OFFSET 0
  ) AS s
$$;
