-- Edges are straight in longitude and latitude (RFC 7946, section 3.1.1), whereas an edge of a geography is a great circle
-- and a polygon of a geography is the smaller part of the Earth. What is measured on the ellipsoid goes through these
-- functions wherever edges may be long.

-- Area on the WGS 84 ellipsoid, square metres, of an outline of any size: the plane of EPSG:6933 (EASE-Grid 2.0 Global) is
-- equal-area, and meridians and parallels are straight there. Other edges get vertices every quarter of a degree, which
-- leaves an error below 1e-5 of what an edge adds.
CREATE FUNCTION ground_area_m2(outline geometry) RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT ST_Area(ST_Transform(ST_Segmentize(outline, 0.25), 6933))
$$;

-- The shape with a vertex every tenth of a degree of longitude, where a great circle strays from the straight edge by at
-- most 1.3 m, and every 51 degrees of latitude. The scale is a power of two, so that vertices keep their digits.
CREATE FUNCTION densified(shape geometry) RETURNS geometry
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT ST_Scale(ST_Segmentize(ST_Scale(shape, 1, 1.0 / 512), 0.1), 1, 512)
$$;

-- The polygons of a shape, cut into eighths of the Earth, so that each part is less than a hemisphere.
CREATE FUNCTION octants(shape geometry) RETURNS geometry
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT ST_Collect(part.geom)
  FROM ST_MakeValid(ST_CollectionExtract(shape, 3)) AS polygons,
       generate_series(-180, 90, 90) AS west,
       generate_series(-90, 0, 90) AS south,
       ST_Dump(ST_CollectionExtract(
         ST_Intersection(polygons, ST_MakeEnvelope(west, south, west + 90, south + 90, 4326), 1e-10), 3)) AS part
$$;

-- The shape as a geography of which edges and interiors are those of the geometry; for distances from it.
CREATE FUNCTION on_ground(shape geometry) RETURNS geography
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
  IF ST_XMax(shape) - ST_XMin(shape) <= 0.1 AND ST_YMax(shape) - ST_YMin(shape) <= 51 THEN RETURN shape::geography; END IF;
  IF ST_Dimension(shape) < 2 OR ST_XMax(shape) - ST_XMin(shape) <= 90 AND ST_YMax(shape) - ST_YMin(shape) <= 90 THEN
    RETURN densified(shape)::geography;
  END IF;
  -- Single parts, for PostGIS 3.5 fails on empty ones.
  RETURN (
    SELECT densified(ST_Collect(part.geom))::geography
    FROM (VALUES (octants(shape)), (ST_CollectionExtract(shape, 2)), (ST_CollectionExtract(shape, 1))) AS kind(parts),
         ST_Dump(kind.parts) AS part);
END
$$;
