"""The runner of our own: tasks put to an agent, answers graded, trials counted."""
