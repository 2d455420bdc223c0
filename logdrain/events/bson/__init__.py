"""Events and quarantine entries as BSON documents."""
