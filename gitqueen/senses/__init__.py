"""Eyes: processes and agents, as they are at this moment. It looks and tells; it keeps nothing and decides nothing."""
