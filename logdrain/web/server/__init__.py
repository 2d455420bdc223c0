"""Connections, bodies, keys: what every route stands on."""
