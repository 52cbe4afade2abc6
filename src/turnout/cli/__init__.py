"""The command line: what people ask of Turnout, in kubectl's own habits."""
