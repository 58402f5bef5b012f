"""Footage: frame ranges of files (shots), folder layouts of datasets, and manifests."""
