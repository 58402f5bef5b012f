"""Commands `footage ...` for the manifest of videos."""
