"""Readers of the public repositories beyond the first ones: each gives the pictures of one source for `pack`."""
