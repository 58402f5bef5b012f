"""Shapes of drawn animation: filled outlines, their colors and curves."""
