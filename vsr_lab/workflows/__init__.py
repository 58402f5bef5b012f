"""Workflows that combine several packages."""
