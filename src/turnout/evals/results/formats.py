"""The formats of result files by name; light, for a command's help."""

from enum import StrEnum


class Format(StrEnum):
    """Formats that are read."""

    JUNIT = "JUnit"
    PROMPTFOO = "Promptfoo"
    DEEPEVAL = "DeepEval"
    RAGAS = "Ragas"
    INSPECT_AI = "InspectAI"
    JSONL = "JSONL"
