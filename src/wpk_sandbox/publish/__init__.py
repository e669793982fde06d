"""Sending it: what a CI system shows of the result."""
