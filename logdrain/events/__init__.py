"""Events -> MongoDB, and back as Arrow."""
