"""The story of a good prompt and a bad one, played on a real cluster and checked line by line."""
