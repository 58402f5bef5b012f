"""The commands footage ..."""
