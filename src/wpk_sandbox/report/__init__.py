"""Saying it: each form of report is a pure function of the result."""
