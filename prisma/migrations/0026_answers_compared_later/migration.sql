-- Pairs of features of one answer are stored with it. Those with features of earlier answers of the scene are stored later, a
-- few answers at a time, so that storing an answer costs the same however many the scene has.

ALTER TABLE segmentation
  -- Answers with features, in the order in which they were stored for the scene, from 1.
  ADD COLUMN answer_number integer CHECK (answer_number > 0),
  -- Pairs with the answers numbered below are not stored yet; 0 when all are.
  ADD COLUMN uncompared_below integer NOT NULL DEFAULT 0 CHECK (uncompared_below >= 0),
  ADD CONSTRAINT segmentation_uncompared_is_earlier CHECK (uncompared_below = 0 OR uncompared_below <= answer_number);

UPDATE segmentation AS s
SET answer_number = numbered.number
FROM (
  SELECT id, row_number() OVER (PARTITION BY scene_id ORDER BY finished_at, id) AS number FROM segmentation WHERE target_found
) AS numbered
WHERE s.id = numbered.id;

CREATE UNIQUE INDEX segmentation_answer ON segmentation (scene_id, answer_number);
CREATE INDEX segmentation_uncompared ON segmentation (id) WHERE uncompared_below > 0;

-- Length of the border of two features of one scene, metres, as its masks show it: where the features are side by side, the
-- line in common; where they overlap, the part of each outline inside the other. With the perimeters of both and of their
-- union, P(a) + P(b) - P(union) has the former twice and the latter once, besides once what both outlines run along on the
-- same side. An outline has no vertex where the other's edge begins along one of its own, and leaves that edge by what a line
-- of the map is bent within 64 pixels (at most 0.02 pixels): the grid is wide enough to bring both together.
CREATE FUNCTION mask_border_m(a geometry, b geometry, pixel_m double precision) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN reaches_seam(a) AND reaches_seam(b) THEN COALESCE(ST_Length(common_border(a, b)::geography), 0)
    ELSE GREATEST(0,
      ST_Perimeter(one::geography) + ST_Perimeter(other::geography) - ST_Perimeter(ST_Union(one, other, grid)::geography)
      - ST_Length(ST_CollectionExtract(ST_Intersection(ST_Boundary(one), ST_Boundary(other), grid), 2)::geography)) END
  FROM (SELECT GREATEST(1e-10, LEAST(0.05 * pixel_m, 2e-4 * pixel_m ^ 2) / 111320) AS grid OFFSET 0) AS grids,
       LATERAL (SELECT ST_ReducePrecision(a, grid) AS one, ST_ReducePrecision(b, grid) AS other OFFSET 0) AS reduced
$$;
