"""Names of our own collections: they begin with `_`, so that no tag can reach them."""

CATALOG = "_catalog"
LATE = "_late"
QUARANTINE = "_quarantine"
SPLITS = "_splits"
