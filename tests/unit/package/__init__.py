"""Tests of what the author wrote."""
