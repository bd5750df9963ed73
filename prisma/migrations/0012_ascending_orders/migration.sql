-- Shortest and least compact first; a feature without the value comes last in either direction.

CREATE INDEX feature_shortest ON feature (COALESCE(perimeter_m, 'Infinity'::double precision), id);
CREATE INDEX feature_least_compact ON feature (COALESCE(compactness, 'Infinity'::double precision), id);
