"""What joins several packages."""
