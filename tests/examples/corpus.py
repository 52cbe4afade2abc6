"""The paraphrases and omissions of sentences.yaml, and the prompts that they make."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

CORPUS: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("sentences.yaml").read_text())


@dataclass(frozen=True)
class Entry:
    """A sentence that takes the place of a rule's own.

    A paraphrase must change nothing; an omission must do what leaving the sentence out does.
    """

    kind: str
    rule: str
    written: str
    text: str


ENTRIES = [
    Entry(kind=kind, **entry)
    for kind, entries in CORPUS.items()
    if kind != "rules"
    for entry in entries
]


def prompt(replaced: str | None = None, text: str = "") -> str:
    """The whole prompt, with another sentence in the place of one."""
    sentences = {**CORPUS["rules"], **({replaced: text} if replaced else {})}
    return "\n".join(f"- {sentence}" for sentence in sentences.values())
