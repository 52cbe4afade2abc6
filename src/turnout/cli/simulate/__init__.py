"""`turnout simulate`: a whole rollout in simulated time, with a stated truth."""
