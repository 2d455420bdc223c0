"""Spool: deliveries wait on disk while the store is away."""
