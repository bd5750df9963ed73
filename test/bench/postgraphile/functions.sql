-- What a PostGraphile user would write for questions that its generated filters cannot ask.

-- Features within geodesic metres of a place, the nearest first.
CREATE FUNCTION features_near(longitude float8, latitude float8, within_m float8) RETURNS SETOF feature
LANGUAGE sql STABLE AS $$
  SELECT * FROM feature
  WHERE ST_DWithin(geometry::geography, ST_SetSRID(ST_MakePoint(longitude, latitude), 4326)::geography, within_m)
  ORDER BY ST_Distance(geometry::geography, ST_SetSRID(ST_MakePoint(longitude, latitude), 4326)::geography), id
$$;

-- Computed column `distanceM`.
CREATE FUNCTION feature_distance_m(f feature, longitude float8, latitude float8) RETURNS float8
LANGUAGE sql STABLE AS $$
  SELECT ST_Distance(f.geometry::geography, ST_SetSRID(ST_MakePoint(longitude, latitude), 4326)::geography)
$$;

-- Sums by square kilometre of EPSG:6933.
CREATE FUNCTION feature_cells(west float8, south float8, east float8, north float8)
RETURNS TABLE (x int, y int, feature_count float8, area_m2 float8, mean_probability float8)
LANGUAGE sql STABLE AS $$
  SELECT cell_column, cell_row, count(*)::float8, sum(area_m2),
         sum(feature.mean_probability * pixel_count) / sum(pixel_count)::float8
  FROM feature WHERE ST_Intersects(geometry, ST_MakeEnvelope(west, south, east, north, 4326))
  GROUP BY 1, 2 ORDER BY 1, 2
$$;
