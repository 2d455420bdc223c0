"""Batches of events, written: one insert for many deliveries."""
