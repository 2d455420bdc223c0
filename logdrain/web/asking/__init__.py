"""Questions go to query processes: the event loop of the drain only passes octets on."""
