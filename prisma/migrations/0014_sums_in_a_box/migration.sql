-- Sums over the features of a box are read from `feature_cell` alone: what is grouped by and summed stands in it, and the
-- bounds tell that a feature lies in the box without its outline, which is most of what a feature takes to read. A B-tree
-- in the order of cells is smaller and quicker to read than GiST of the bounds, which makes a row anew of each entry.

-- Corners in degrees, in double precision as the outline; null without georeference. A column, as an index gives back what
-- columns hold and not what an expression makes of them.
ALTER TABLE feature ADD COLUMN bounds box GENERATED ALWAYS AS (box(geometry)) STORED;

CREATE INDEX feature_cell ON feature (cell_column, cell_row)
  INCLUDE (bounds, area_m2, perimeter_m, pixel_count, mean_probability, scene_id, segmentation_id);
