"""What each road needs from the outside, as Protocols. Rooms implement them; `ingest` and `answer` join them.

Async ports serve the drain; sync ports serve the worker and the commands, whose engines block anyway.
Every method raises errors of `logdrain.errors` only, and says which.
A port is imported from its file: who needs the ledger does not load what queries need.
"""
