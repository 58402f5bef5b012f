"""Registration of two clips in space, time and color."""
