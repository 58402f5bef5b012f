"""Drawing of rendered screens: canvas, fonts, text and style."""
