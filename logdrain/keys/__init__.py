"""Keys: where they are kept, whose address a request came from, and how often it may be wrong."""
