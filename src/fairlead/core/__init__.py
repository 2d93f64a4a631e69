"""The hexagon: values and ports. Standard library only, no I/O, no settings."""
