-- Scenes, segmentations and what they found. Runs unchanged on PostgreSQL 15+ with PostGIS 3.3+ and on PGlite.
-- Geometry is WGS 84 (SRID 4326); lengths and areas are geodesic on its ellipsoid.

CREATE EXTENSION IF NOT EXISTS postgis;

CREATE TABLE scene (
  id           uuid PRIMARY KEY,
  name         text NOT NULL CHECK (name <> ''),
  source       text NOT NULL,
  sha256       text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
  width_px     integer NOT NULL CHECK (width_px > 0),
  height_px    integer NOT NULL CHECK (height_px > 0),
  bands        integer NOT NULL CHECK (bands > 0),
  dtype        text NOT NULL,
  nodata       double precision,
  crs          text,
  -- GDAL order: x of the origin, dx per column, dx per row, y of the origin, dy per column, dy per row
  geotransform double precision[] CHECK (cardinality(geotransform) = 6),
  gsd_m        double precision CHECK (gsd_m > 0),
  footprint    geometry(Geometry, 4326) CHECK (GeometryType(footprint) IN ('POLYGON', 'MULTIPOLYGON')),
  area_m2      double precision CHECK (area_m2 >= 0),
  rgb_bands    integer[] NOT NULL CHECK (cardinality(rgb_bands) IN (1, 3)),
  -- [{"min", "max"}] for each of rgb_bands
  stretch      jsonb CHECK (jsonb_typeof(stretch) = 'array'),
  blob_key     text,
  acquired_at  timestamptz(3),
  created_at   timestamptz(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  CONSTRAINT scene_area_needs_footprint CHECK ((footprint IS NULL) = (area_m2 IS NULL))
);
CREATE INDEX scene_footprint_gist ON scene USING gist (footprint);
CREATE INDEX scene_acquired_at ON scene (acquired_at);
CREATE INDEX scene_sha256 ON scene (sha256);

CREATE TABLE segmentation (
  id               uuid PRIMARY KEY,
  scene_id         uuid NOT NULL REFERENCES scene ON DELETE CASCADE,
  -- questions of one request; they run together
  batch_id         uuid NOT NULL,
  idempotency_key  text,
  prompt           text NOT NULL CHECK (prompt <> ''),
  task             text NOT NULL CHECK (task IN ('REASONING', 'REFERRING')),
  model_id         text NOT NULL,
  model_name       text NOT NULL,
  model_version    text NOT NULL,
  model_sha256     text NOT NULL CHECK (model_sha256 ~ '^[0-9a-f]{64}$'),
  model_window_px  integer NOT NULL CHECK (model_window_px > 0),
  model_licence    text NOT NULL,
  scale            text NOT NULL CHECK (scale IN ('AUTO', 'WHOLE', 'WINDOWS')),
  gsd_m            double precision CHECK (gsd_m > 0),
  threshold        double precision NOT NULL CHECK (threshold BETWEEN 0 AND 1),
  min_area_m2      double precision NOT NULL CHECK (min_area_m2 >= 0),
  -- GeoJSON as asked
  area_of_interest jsonb,
  state            text NOT NULL DEFAULT 'QUEUED'
                   CHECK (state IN ('QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED')),
  phase            text NOT NULL DEFAULT 'queued',
  windows_done     integer NOT NULL DEFAULT 0 CHECK (windows_done >= 0),
  windows_total    integer NOT NULL DEFAULT 0 CHECK (windows_total >= 0),
  eta_s            double precision CHECK (eta_s >= 0),
  attempts         integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
  target_found     boolean,
  empty_reason     text CHECK (empty_reason IN
                     ('NO_PIXEL_ABOVE_THRESHOLD', 'ALL_BELOW_MIN_AREA', 'OUTSIDE_AREA_OF_INTEREST', 'NO_VALID_PIXELS')),
  failure_code     text,
  failure_message  text,
  feature_count    integer NOT NULL DEFAULT 0 CHECK (feature_count >= 0),
  area_m2          double precision CHECK (area_m2 >= 0),
  created_at       timestamptz(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  started_at       timestamptz(3),
  finished_at      timestamptz(3),
  CONSTRAINT segmentation_target_found_when_succeeded CHECK ((state = 'SUCCEEDED') = (target_found IS NOT NULL)),
  CONSTRAINT segmentation_empty_has_reason CHECK ((target_found IS FALSE) = (empty_reason IS NOT NULL)),
  CONSTRAINT segmentation_failed_has_failure CHECK ((state = 'FAILED') = (failure_code IS NOT NULL)),
  CONSTRAINT segmentation_failure_has_message CHECK ((failure_code IS NULL) = (failure_message IS NULL)),
  CONSTRAINT segmentation_final_has_time CHECK ((state IN ('SUCCEEDED', 'FAILED', 'CANCELLED')) = (finished_at IS NOT NULL))
);
CREATE INDEX segmentation_scene ON segmentation (scene_id, id);
CREATE INDEX segmentation_batch ON segmentation (batch_id);
CREATE INDEX segmentation_model ON segmentation (model_id);
CREATE INDEX segmentation_unfinished ON segmentation (state, id) WHERE state IN ('QUEUED', 'RUNNING');
CREATE INDEX segmentation_idempotency_key ON segmentation (idempotency_key) WHERE idempotency_key IS NOT NULL;

CREATE TABLE mask (
  segmentation_id  uuid PRIMARY KEY REFERENCES segmentation ON DELETE CASCADE,
  scene_id         uuid NOT NULL REFERENCES scene ON DELETE CASCADE,
  width_px         integer NOT NULL CHECK (width_px > 0),
  height_px        integer NOT NULL CHECK (height_px > 0),
  -- COCO run lengths: column-major, alternating, beginning with the background
  counts           bigint[] NOT NULL,
  pixel_count      bigint NOT NULL CHECK (pixel_count >= 0),
  area_m2          double precision CHECK (area_m2 >= 0),
  mean_probability double precision NOT NULL CHECK (mean_probability BETWEEN 0 AND 1)
);
CREATE INDEX mask_scene ON mask (scene_id);

-- A feature has its outline in exactly one of two columns: `geometry` on the ground, or `pixel_geometry` in the scene
-- frame (column to the right, row down) when the scene has no georeference. Spatial conditions read `geometry` alone, so
-- features in pixels never match one.
CREATE TABLE feature (
  id               uuid PRIMARY KEY,
  scene_id         uuid NOT NULL REFERENCES scene ON DELETE CASCADE,
  segmentation_id  uuid NOT NULL REFERENCES segmentation ON DELETE CASCADE,
  label            integer NOT NULL CHECK (label > 0),
  geometry         geometry(Geometry, 4326) CHECK (GeometryType(geometry) IN ('POLYGON', 'MULTIPOLYGON')),
  pixel_geometry   geometry(Geometry, 0) CHECK (GeometryType(pixel_geometry) IN ('POLYGON', 'MULTIPOLYGON')),
  centroid         geometry(Point, 4326),
  area_m2          double precision CHECK (area_m2 >= 0),
  perimeter_m      double precision CHECK (perimeter_m >= 0),
  compactness      double precision CHECK (compactness > 0),
  bearing_deg      double precision CHECK (bearing_deg >= 0 AND bearing_deg < 180),
  pixel_count      bigint NOT NULL CHECK (pixel_count > 0),
  mean_probability double precision NOT NULL CHECK (mean_probability BETWEEN 0 AND 1),
  CONSTRAINT feature_one_outline CHECK ((geometry IS NULL) <> (pixel_geometry IS NULL)),
  CONSTRAINT feature_valid CHECK (ST_IsValid(COALESCE(geometry, pixel_geometry))),
  CONSTRAINT feature_metres_when_georeferenced CHECK
    ((geometry IS NULL) = ALL (ARRAY[centroid IS NULL, area_m2 IS NULL, perimeter_m IS NULL, compactness IS NULL])),
  CONSTRAINT feature_label UNIQUE (segmentation_id, label)
);
CREATE INDEX feature_geometry_gist ON feature USING gist (geometry);
CREATE INDEX feature_geography_gist ON feature USING gist ((geometry::geography));
CREATE INDEX feature_scene ON feature (scene_id, id);
-- One index for each order: a missing value counts as the last in the direction of the order.
CREATE INDEX feature_largest ON feature (COALESCE(area_m2, '-Infinity'::double precision), id);
CREATE INDEX feature_smallest ON feature (COALESCE(area_m2, 'Infinity'::double precision), id);
CREATE INDEX feature_longest ON feature (COALESCE(perimeter_m, '-Infinity'::double precision), id);
CREATE INDEX feature_most_compact ON feature (COALESCE(compactness, '-Infinity'::double precision), id);
CREATE INDEX feature_mean_probability ON feature (mean_probability, id);

-- A pair is stored once, the smaller identifier first.
CREATE TABLE feature_adjacency (
  feature_a       uuid NOT NULL REFERENCES feature ON DELETE CASCADE,
  feature_b       uuid NOT NULL REFERENCES feature ON DELETE CASCADE,
  scene_id        uuid NOT NULL REFERENCES scene ON DELETE CASCADE,
  relation        text NOT NULL CHECK (relation IN ('TOUCHES', 'NEAR')),
  shared_border_m double precision CHECK (shared_border_m >= 0),
  -- points where only corners of pixels meet
  corners         integer NOT NULL DEFAULT 0 CHECK (corners >= 0),
  gap_m           double precision CHECK (gap_m >= 0),
  -- from the centroid of a to that of b, degrees from north
  bearing_deg     double precision CHECK (bearing_deg >= 0 AND bearing_deg < 360),
  PRIMARY KEY (feature_a, feature_b),
  CONSTRAINT feature_adjacency_once CHECK (feature_a < feature_b),
  CONSTRAINT feature_adjacency_near_has_gap CHECK (relation = 'TOUCHES' OR gap_m IS NOT NULL)
);
CREATE INDEX feature_adjacency_b ON feature_adjacency (feature_b, feature_a);
CREATE INDEX feature_adjacency_scene ON feature_adjacency (scene_id);

-- Metres per degree of longitude and of latitude at a latitude, from the radii of curvature of the WGS 84 ellipsoid
-- (Snyder, Map Projections: A Working Manual, USGS PP 1395, section 4).
CREATE FUNCTION metres_per_degree(latitude double precision, OUT east double precision, OUT north double precision)
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT radians(1) * 6378137.0 * cos(radians(latitude)) / sqrt(t.w),
         radians(1) * 6378137.0 * (1 - 0.0066943799901413165) / power(t.w, 1.5)
  FROM (SELECT 1 - 0.0066943799901413165 * sin(radians(latitude)) ^ 2 AS w) AS t
$$;

-- The geometry in one piece: longitudes 0 to 360 where the parts lie on both sides of the antimeridian.
CREATE FUNCTION unwrapped(outline geometry) RETURNS geometry
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT CASE WHEN ST_XMax(outline) - ST_XMin(outline) > 180 THEN ST_ShiftLongitude(outline) ELSE outline END
$$;

-- Centroid as if longitude and latitude were a plane, which for a feature of 10 km is right to about a metre. PostGIS
-- has one on the ellipsoid, but (3.3) it is far off for outlines with holes and for several parts.
CREATE FUNCTION ground_centroid(outline geometry) RETURNS geometry
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT CASE WHEN ST_X(c) > 180 THEN ST_Translate(c, -360, 0) ELSE c END FROM ST_Centroid(unwrapped(outline)) AS c
$$;

-- Azimuth of the long side of the minimum rotated rectangle, degrees from north in [0, 180). The rectangle is found in
-- the plane that touches the ellipsoid at the middle latitude; the azimuth is geodesic. Null when the sides are equal to
-- a thousandth: a square has no long side.
CREATE FUNCTION long_side_bearing(outline geometry) RETURNS double precision
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  whole geometry := unwrapped(outline);
  m record;
  ring geometry;
  a geometry; b geometry; c geometry;
  ab double precision; bc double precision;
  azimuth double precision;
BEGIN
  SELECT * INTO m FROM metres_per_degree((ST_YMin(whole) + ST_YMax(whole)) / 2);
  -- relative to the south-west corner, so that metres keep their digits
  ring := ST_ExteriorRing(ST_OrientedEnvelope(
    ST_SetSRID(ST_Scale(ST_Translate(whole, -ST_XMin(whole), -ST_YMin(whole)), m.east, m.north), 0)));
  a := ST_PointN(ring, 1); b := ST_PointN(ring, 2); c := ST_PointN(ring, 3);
  ab := ST_Distance(a, b); bc := ST_Distance(b, c);
  IF abs(ab - bc) <= 0.001 * greatest(ab, bc) THEN RETURN NULL; END IF;
  IF bc > ab THEN a := c; END IF;
  azimuth := degrees(ST_Azimuth(
    ST_SetSRID(ST_MakePoint(ST_X(a) / m.east + ST_XMin(whole), ST_Y(a) / m.north + ST_YMin(whole)), 4326)::geography,
    ST_SetSRID(ST_MakePoint(ST_X(b) / m.east + ST_XMin(whole), ST_Y(b) / m.north + ST_YMin(whole)), 4326)::geography));
  -- to a millionth of a degree, so that due north is 0 and not a hair below 180
  azimuth := round(azimuth * 1e6) / 1e6;
  azimuth := azimuth - 180 * floor(azimuth / 180);
  RETURN CASE WHEN azimuth < 180 THEN azimuth ELSE 0 END;
END
$$;

-- Geodesic azimuth from one point to another, degrees from north in [0, 360); null where they coincide.
CREATE FUNCTION bearing(origin geometry, target geometry) RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT CASE WHEN turned < 360 THEN turned ELSE 0 END
  FROM (SELECT degrees(ST_Azimuth(origin::geography, target::geography)) AS azimuth) AS t,
       LATERAL (SELECT azimuth - 360 * floor(azimuth / 360) AS turned) AS n
$$;

-- The outline with vertices left out, none of the new one farther than `metres` from the old; stays a valid polygon.
CREATE FUNCTION simplified(outline geometry, metres double precision) RETURNS geometry
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT ST_Scale(ST_SimplifyPreserveTopology(ST_Scale(outline, m.east, m.north), metres), 1 / m.east, 1 / m.north)
  FROM metres_per_degree((ST_YMin(outline) + ST_YMax(outline)) / 2) AS m
$$;
