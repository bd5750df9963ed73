-- Largest probability of the pixels of a feature. Null for features that are stored already: masks keep no probabilities.
ALTER TABLE feature ADD COLUMN max_probability double precision CHECK (max_probability BETWEEN 0 AND 1);

CREATE INDEX feature_most_probable ON feature (COALESCE(max_probability, '-Infinity'::double precision), id);
CREATE INDEX feature_least_probable ON feature (COALESCE(max_probability, 'Infinity'::double precision), id);
