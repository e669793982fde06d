"""Doing it: steps, retries, deadlines, rollback, and what changed."""
