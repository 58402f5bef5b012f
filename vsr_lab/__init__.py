"""vsr_lab trains, judges and ships video super-resolution models, one content type at a time."""

__version__ = "0.1.0"
