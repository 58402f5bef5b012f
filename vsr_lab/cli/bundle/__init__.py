"""Commands `bundle ...` for the folders that export writes."""
