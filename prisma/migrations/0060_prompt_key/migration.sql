-- Prompts are named in addresses by a hash, and listed each once in the order of the hashes.
ALTER TABLE segmentation ADD COLUMN prompt_key text GENERATED ALWAYS AS (md5(prompt)) STORED;
CREATE INDEX segmentation_prompt_key ON segmentation (prompt_key);
