"""Policies: each wraps one provider, or several, and is one itself. No I/O of their own."""
