"""Where what happens is told: logs."""
