"""Plain functions that build pipelines, by hand or from settings."""
