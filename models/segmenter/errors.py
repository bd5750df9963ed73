"""Errors raised in more than one room."""


class TrainError(Exception):
    """The settings cannot be trained, the run failed, or it cannot be resumed from the files on disk."""
