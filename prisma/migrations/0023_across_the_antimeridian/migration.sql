-- One meridian has two longitudes, 180 and -180, and a pole has all of them. Outlines that meet there share no coordinates,
-- and an outline across it is cut in two along edges that are no part of its border.

-- Whether a shape has places with more than one pair of coordinates.
CREATE FUNCTION reaches_seam(shape geometry) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT ST_XMin(shape) <= -180 OR ST_XMax(shape) >= 180 OR ST_YMin(shape) <= -90 OR ST_YMax(shape) >= 90
$$;

-- Those places under their other coordinates: the edges and vertices on the antimeridian on its other side, and all of the
-- parallel of a pole that the shape reaches. Null for a shape without any.
CREATE FUNCTION seam_twin(shape geometry) RETURNS geometry
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT ST_Collect(twin)
  FROM (
    SELECT ST_Translate(vertex.geom, CASE WHEN ST_X(vertex.geom) > 0 THEN -360 ELSE 360 END, 0) AS twin
    FROM ST_DumpPoints(shape) AS vertex WHERE abs(ST_X(vertex.geom)) = 180
    UNION ALL
    SELECT ST_Translate(edge.geom, CASE WHEN ST_XMin(edge.geom) > 0 THEN -360 ELSE 360 END, 0)
    FROM ST_DumpSegments(shape) AS edge
    WHERE ST_XMin(edge.geom) = ST_XMax(edge.geom) AND abs(ST_XMin(edge.geom)) = 180
    UNION ALL
    SELECT ST_SetSRID(ST_MakeLine(ST_MakePoint(-180, pole), ST_MakePoint(180, pole)), ST_SRID(shape))
    FROM (VALUES (-90), (90)) AS poles (pole)
    WHERE pole = CASE WHEN pole < 0 THEN ST_YMin(shape) ELSE ST_YMax(shape) END
  ) AS twins
$$;

-- The border of an area on the ground: its rings without the edges along which it is cut at the antimeridian. The other edges
-- keep their coordinates, so that they still coincide with those of a neighbour.
CREATE FUNCTION ground_border(outline geometry) RETURNS geometry
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  inner_edges geometry;
  east geometry;
  west geometry;
  cut geometry;
BEGIN
  IF ST_XMin(outline) > -180 OR ST_XMax(outline) < 180 THEN RETURN ST_Boundary(outline); END IF;
  SELECT ST_Collect(edge.geom) FILTER (WHERE ST_XMin(edge.geom) > -180 AND ST_XMax(edge.geom) < 180
                                          OR ST_XMin(edge.geom) < ST_XMax(edge.geom)),
         ST_Collect(edge.geom) FILTER (WHERE ST_XMin(edge.geom) = 180),
         ST_Collect(edge.geom) FILTER (WHERE ST_XMax(edge.geom) = -180)
  INTO inner_edges, east, west
  FROM ST_DumpSegments(outline) AS edge;
  IF east IS NULL OR west IS NULL THEN RETURN ST_Boundary(outline); END IF;
  cut := ST_CollectionExtract(ST_Intersection(east, ST_Translate(west, 360, 0), 1e-10), 2);
  -- Single parts, for PostGIS 3.5 fails on empty ones.
  RETURN (
    SELECT ST_Collect(part.geom)
    FROM unnest(ARRAY[inner_edges, ST_Difference(east, cut, 1e-10), ST_Difference(west, ST_Translate(cut, -360, 0), 1e-10)])
           AS kind (edges),
         ST_Dump(kind.edges) AS part);
END
$$;

-- Length of that border, metres; geodesic, but for edges that go so far around the Earth that a geodesic is another way.
CREATE FUNCTION ground_perimeter_m(outline geometry) RETURNS double precision
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE border geometry;
BEGIN
  IF ST_XMin(outline) > -180 OR ST_XMax(outline) < 180 THEN RETURN ST_Perimeter(outline::geography); END IF;
  border := ground_border(outline);
  IF (SELECT max(ST_XMax(edge.geom) - ST_XMin(edge.geom)) FROM ST_DumpSegments(border) AS edge) > 120 THEN
    border := densified(border);
  END IF;
  RETURN COALESCE(ST_Length(border::geography), 0);
END
$$;

-- The line that the borders of two areas have in common.
CREATE FUNCTION common_border(a geometry, b geometry) RETURNS geometry
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT CASE WHEN reaches_seam(a) AND reaches_seam(b) THEN (
    SELECT ST_Collect(
      ST_CollectionExtract(ST_Intersection(borders.a, borders.b, 1e-10), 2),
      ST_CollectionExtract(ST_Intersection(ST_CollectionExtract(seam_twin(borders.a), 2), borders.b, 1e-10), 2))
    FROM (SELECT ground_border(a) AS a, ground_border(b) AS b OFFSET 0) AS borders
  ) ELSE ST_CollectionExtract(ST_Intersection(ST_Boundary(a), ST_Boundary(b), 1e-10), 2) END
$$;

-- Whether two shapes have a place in common.
CREATE FUNCTION meets(a geometry, b geometry) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT ST_Intersects(a, b) OR (reaches_seam(a) AND reaches_seam(b) AND COALESCE(ST_Intersects(seam_twin(a), b), FALSE))
$$;

-- As before, but for a shape around the Earth, which other longitudes would tear elsewhere.
CREATE OR REPLACE FUNCTION unwrapped(outline geometry) RETURNS geometry
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT CASE WHEN ST_XMax(outline) - ST_XMin(outline) <= 180 THEN outline
    WHEN ST_XMax(turned) - ST_XMin(turned) BETWEEN 1e-12 AND 180 THEN turned ELSE outline END
  FROM ST_ShiftLongitude(outline) AS turned
$$;

-- As before, but around a pole in the equal-area plane that touches the ellipsoid there (EASE-Grid 2.0 North and South), as
-- meridians meet and the mean of longitudes says nothing.
CREATE OR REPLACE FUNCTION ground_centroid(outline geometry) RETURNS geometry
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT CASE
    WHEN ST_XMax(whole) - ST_XMin(whole) > 90 AND ST_YMin(whole) >= 60
      THEN ST_Transform(ST_Centroid(ST_Transform(ST_Segmentize(outline, 1), 6931)), 4326)
    WHEN ST_XMax(whole) - ST_XMin(whole) > 90 AND ST_YMax(whole) <= -60
      THEN ST_Transform(ST_Centroid(ST_Transform(ST_Segmentize(outline, 1), 6932)), 4326)
    WHEN ST_X(c) > 180 THEN ST_Translate(c, -360, 0) ELSE c END
  FROM unwrapped(outline) AS whole, ST_Centroid(whole) AS c
$$;

UPDATE feature AS f
SET perimeter_m = measured.perimeter_m,
    centroid = measured.centroid,
    compactness = CASE WHEN measured.perimeter_m > 0 THEN 4 * pi() * area_m2 / measured.perimeter_m ^ 2 ELSE 1 END
FROM (
  SELECT id, ground_perimeter_m(geometry) AS perimeter_m, ground_centroid(geometry) AS centroid FROM feature
  WHERE ST_XMin(geometry) <= -180 AND ST_XMax(geometry) >= 180
) AS measured
WHERE f.id = measured.id;
