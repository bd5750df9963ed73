"""Errors that several rooms raise."""


class TrainError(Exception):
    """What was asked cannot be trained, or the run cannot go on, or cannot be continued from what is on disk."""
