"""Programs that combine several packages, such as upscaling of many files, recommendation of a bundle, and votes."""
