"""How an agent is asked and what its answer says, for each protocol; nothing is sent here."""
