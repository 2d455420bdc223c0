"""Texts that name a result."""
