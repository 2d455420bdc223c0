"""Events that neighbouring slices both read are read once: ADR 16."""
