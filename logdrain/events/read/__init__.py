"""Stored events, read: scans, groups, looks."""
