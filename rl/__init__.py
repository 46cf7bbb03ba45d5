"""Learning: regularized learners on arrays, and the commands that bring the rooms together."""
