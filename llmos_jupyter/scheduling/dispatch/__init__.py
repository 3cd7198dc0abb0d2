"""Who goes first, who waits and who gives way, decided at each event."""
