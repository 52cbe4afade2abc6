"""One outside system a module: documents in, domain values out, errors translated once."""
