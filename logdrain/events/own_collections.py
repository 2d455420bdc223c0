"""Names of our own collections: they begin with `_`, so that no tag can reach them."""

CATALOG = "_catalog"
LATE = "_late"
NEAR_MISSES = "_near_misses"
QUARANTINE = "_quarantine"
SPLITS = "_splits"
