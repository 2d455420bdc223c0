"""Deliveries come in: parsed, stored or spooled, replayed."""
