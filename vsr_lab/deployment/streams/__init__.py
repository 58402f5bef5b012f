"""Streams of a file: what the source has, and the writers of what the output gets."""
