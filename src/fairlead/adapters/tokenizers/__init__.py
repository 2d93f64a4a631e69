"""Tokenizers that count exactly. Nothing here downloads but `download`, which is asked for."""
