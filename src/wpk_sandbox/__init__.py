"""Dry-runs WPK runbooks in a throw-away sandbox; start reading in `pipeline.py`."""

__version__ = "0.1.0"
