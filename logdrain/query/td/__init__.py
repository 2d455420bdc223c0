"""The TD_* functions: the registry, and how each call is understood."""
