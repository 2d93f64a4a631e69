"""One folder per vendor."""
