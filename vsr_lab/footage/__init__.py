"""Footage: shots, layouts of datasets, manifests."""
