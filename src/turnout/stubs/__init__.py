"""A server that stands in for tools that write: it answers as they might, and does nothing."""
