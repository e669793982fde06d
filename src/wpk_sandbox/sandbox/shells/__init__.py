"""The shells: one file for each place that runs commands."""
