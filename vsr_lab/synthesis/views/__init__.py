"""Contents of the windows of rendered screens."""
