-- Features that were reviewed in a range of time.
CREATE INDEX review_at ON review (workspace_id, at, feature_id) WHERE is_current;
