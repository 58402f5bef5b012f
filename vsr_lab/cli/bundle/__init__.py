"""The commands bundle ..."""
