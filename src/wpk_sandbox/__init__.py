"""Dry-runs WPK runbooks in a throw-away sandbox; start reading in `pipeline.py`."""

__version__ = "0.1.0"
# Where the project lives: what the reports of other systems link to.
PROJECT = "https://github.com/org/wpk-sandbox"
