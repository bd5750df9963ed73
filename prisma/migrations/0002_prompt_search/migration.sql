-- Prompts are searched by word and, for parts of words and typing errors, by groups of three letters.

CREATE EXTENSION IF NOT EXISTS pg_trgm;

CREATE INDEX segmentation_prompt_words ON segmentation USING gin (to_tsvector('english', prompt));
CREATE INDEX segmentation_prompt_trigrams ON segmentation USING gin (prompt gin_trgm_ops);
