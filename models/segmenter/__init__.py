"""SegEarth-R1: from an image window and a question in plain language to the logits of one mask."""
