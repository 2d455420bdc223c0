"""Body -> frames -> messages -> lines -> events. Pure: the same body gives the same events, always."""
