"""The examples of RFC 8785 itself: what is hashed is what any implementation of it writes."""

import hashlib
import json
import struct
from typing import Any

import pytest
import rfc8785

from turnout.api import digest

SERIALISED = """
7b 22 6c 69 74 65 72 61 6c 73 22 3a 5b 6e 75 6c 6c 2c 74 72
75 65 2c 66 61 6c 73 65 5d 2c 22 6e 75 6d 62 65 72 73 22 3a
5b 33 33 33 33 33 33 33 33 33 2e 33 33 33 33 33 33 33 2c 31
65 2b 33 30 2c 34 2e 35 2c 30 2e 30 30 32 2c 31 65 2d 32 37
5d 2c 22 73 74 72 69 6e 67 22 3a 22 e2 82 ac 24 5c 75 30 30
30 66 5c 6e 41 27 42 5c 22 5c 5c 5c 5c 5c 22 2f 22 7d
"""
"""Section 3.2.4: the bytes of the object of section 3.2.2."""

SORTED = (
    "Carriage Return",
    "One",
    "Control",
    "Latin Small Letter O With Diaeresis",
    "Euro Sign",
    "Emoji: Grinning Face",
    "Hebrew Letter Dalet With Dagesh",
)
"""Section 3.2.3: values in the order of their keys' UTF-16 code units."""

NUMBERS = (
    ("0000000000000000", "0"),
    ("8000000000000000", "0"),
    ("0000000000000001", "5e-324"),
    ("8000000000000001", "-5e-324"),
    ("7fefffffffffffff", "1.7976931348623157e+308"),
    ("ffefffffffffffff", "-1.7976931348623157e+308"),
    ("4340000000000000", "9007199254740992"),
    ("c340000000000000", "-9007199254740992"),
    ("4430000000000000", "295147905179352830000"),
    ("44b52d02c7e14af5", "9.999999999999997e+22"),
    ("44b52d02c7e14af6", "1e+23"),
    ("44b52d02c7e14af7", "1.0000000000000001e+23"),
    ("444b1ae4d6e2ef4e", "999999999999999700000"),
    ("444b1ae4d6e2ef4f", "999999999999999900000"),
    ("444b1ae4d6e2ef50", "1e+21"),
    ("3eb0c6f7a0b5ed8c", "9.999999999999997e-7"),
    ("3eb0c6f7a0b5ed8d", "0.000001"),
    ("41b3de4355555553", "333333333.3333332"),
    ("41b3de4355555554", "333333333.33333325"),
    ("41b3de4355555555", "333333333.3333333"),
    ("41b3de4355555556", "333333333.3333334"),
    ("41b3de4355555557", "333333333.33333343"),
    ("becbf647612f3696", "-0.0000033333333333333333"),
    ("43143ff3c1cb0959", "1424953923781206.2"),
)
"""Appendix B: doubles by their bits, and how each is written."""


def number(bits: str) -> float:
    found: float = struct.unpack(">d", bytes.fromhex(bits))[0]
    return found


def is_hashed_as(document: Any, text: bytes) -> bool:
    """Tell whether a document is hashed as if these bytes stood in its place."""
    return digest._hash(document) == f"sha256:{hashlib.sha256(text).hexdigest()}"


def test_the_example_object_is_written_byte_by_byte() -> None:
    written = r"""{
        "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
        "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
        "literals": [null, true, false]
    }"""
    assert is_hashed_as(json.loads(written), bytes.fromhex(SERIALISED))


def test_keys_are_sorted_by_their_utf_16_code_units() -> None:
    written = r"""{
        "\u20ac": "Euro Sign",
        "\r": "Carriage Return",
        "\ufb33": "Hebrew Letter Dalet With Dagesh",
        "1": "One",
        "\ud83d\ude00": "Emoji: Grinning Face",
        "\u0080": "Control",
        "\u00f6": "Latin Small Letter O With Diaeresis"
    }"""
    document = json.loads(written)
    names = {value: key for key, value in document.items()}
    ordered = {names[value]: value for value in SORTED}
    text = json.dumps(ordered, ensure_ascii=False, separators=(",", ":"))
    assert is_hashed_as(document, text.encode())


@pytest.mark.parametrize("bits, text", NUMBERS)
def test_a_number_is_written_as_in_the_table(bits: str, text: str) -> None:
    assert is_hashed_as([number(bits)], f"[{text}]".encode())


@pytest.mark.parametrize("bits", ["7fffffffffffffff", "7ff0000000000000", "fff0000000000000"])
def test_what_is_no_number_has_no_canonical_form(bits: str) -> None:
    with pytest.raises(rfc8785.CanonicalizationError):
        digest._hash([number(bits)])


def test_half_a_character_has_no_canonical_form() -> None:
    with pytest.raises(rfc8785.CanonicalizationError):
        digest._hash(["\ud83d"])
