"""The outside: whatever opens, reads or waits."""
