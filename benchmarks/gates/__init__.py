"""How often a gate is wrong, and how soon it is right: every policy over the same traffic."""
