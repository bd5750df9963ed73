-- A run that ends its process again and again is set aside, so that the runs behind it are worked on.

ALTER TABLE segmentation
  -- ends of the worker process during the run, since it last finished a new window
  ADD COLUMN crashes int NOT NULL DEFAULT 0;
