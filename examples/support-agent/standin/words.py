"""The words that the stand-in knows, grouped by what they mean.

A term is a word, a word's beginning (`retriev*`), or words in a row; ` .. ` between two words
leaves room for up to four others (`look .. up` is found in "look the order up").
"""

import re
from collections.abc import Iterable
from typing import NewType

Concept = NewType("Concept", "re.Pattern[str]")

_GAP = r"(?: [\w|]+){0,4} "


def _term(term: str) -> str:
    words = re.escape(term).replace(r"\ \.\.\ ", _GAP).replace(r"\ ", " ")
    return words.replace(r"\*", r"\w*")


def _concept(terms: str) -> Concept:
    return Concept(re.compile(rf"\b(?:{'|'.join(map(_term, terms.split(', ')))})\b"))


def _either(*concepts: Concept) -> Concept:
    return Concept(re.compile("|".join(concept.pattern for concept in concepts)))


def find(concept: Concept, text: str) -> Iterable[int]:
    """The position, in words, of each place where the concept occurs in a normalised sentence."""
    return [text.count(" ", 0, match.start()) for match in concept.finditer(text)]


# What the shop is about.
ORDER = _concept("order, orders, purchase*, record*, order's")
REFUND = _concept("refund*, money back, pay* .. back, paid .. back, reimburs*, payout*")
REPLACEMENT = _concept("replac*, exchange*, new item, second item, send .. again")
GRANT = _either(
    REFUND,
    REPLACEMENT,
    _concept("grant*, compensat*, approv*, give, offer*, anything, pay, hand out"),
)
AMOUNT = _concept("amount*, total*, sum, sums, price*, figure*, cent, how much")
ARTICLE = _concept("knowledge, article*, help cent*, faq*, documentation, handbook*, help page*")
PERSON = _concept(
    "person, people, human*, colleague*, team, staff, specialist*, supervisor*, someone, "
    "somebody, employee*, ticket*, second line, manager*"
)
TOOL = _concept("tool*, function*, system*, api")
REPLY = _concept(
    "answer*, repl*, respon*, output*, return*, result*, write, send, emit*, produce*, "
    "format*, final message, hand back"
)
OWN_REPLY = _concept(
    "your answer, your reply, your response, your result, your object, your draft, your "
    "final, the answer, the reply, the response, the draft, the final answer, the final "
    "reply, what you wrote, what you have written, own answer, own reply, it before you send, "
    "it before sending, an answer, any answer, every answer, everything"
)

# What a prompt may ask for.
READ = _concept(
    "look .. up, looks .. up, looked .. up, looking .. up, lookup*, look at, look into, "
    "check*, fetch*, retriev*, consult*, pull*, open, opened, opening, read, reading, verif*, "
    "inspect*, load*, query, queri*, find, found, review*, view*, examin*, stud*, obtain*, "
    "bring up, call up, go through, know what, know the order, get the order, get .. record, "
    "get .. details, see what, see the"
)
GUESS = _concept("guess*, assum*, presum*, suppos*, from memory, take .. word for")
ENTITLED = _concept(
    "entitl*, eligib*, allow*, permit*, qualif*, authori*, right to, covered, warrants, "
    "provided for, within policy, provides for"
)
EXACT = _concept(
    "exact*, precise*, same, full, equal*, match*, cop*, to the cent, whole, entire, "
    "identical, as recorded, as shown, unchanged, verbatim"
)
OTHER_AMOUNT = _concept(
    "more, less, other, another, different, round*, estimat*, invent*, approximat*, made up, "
    "make up, deviat*, partial*, guess*"
)
ACT = _concept(
    "creat*, book*, make, made, issu*, execut*, carry .. out, carried out, call, calls, "
    "called, calling, use, used, using, perform*, trigger*, process*, place*, run, submit*, "
    "done, through, enter*"
)
CLAIM = _concept(
    "say, says, saying, tell, telling, told, claim*, promis*, confirm*, announc*, report*, "
    "state, stating, word*, assur*"
)
SEARCH = _either(READ, _concept("search*, use, using, brows*, ask, draw on, rely on"))
CITE = _concept("cit*, quot*, name, nam*, mention*, refer*, includ*, source*")
OWN_MEMORY = _concept("memory, your own knowledge, by heart, make up, made up, invent*")
QUESTION = _concept("question*, ask*, answer*, enquir*, inquir*")
HAND_OVER = _concept(
    "hand* .. over, handed .. over, pass* .. on, pass* .. to, forward*, transfer*, refer, "
    "involv*, bring in, route*, give .. to, turn .. over, raise, open, file, leave .. to, "
    "goes .. to, go .. to, let .. decide"
)
ESCALATE = _concept("escalat*")
JSON = _concept("json")
STRUCTURE = _concept(
    "structured, machine readable, object, keys, fields, braces, key value, parsable, parseable"
)
RECHECK = _concept(
    "check*, double check*, verif*, review*, reread*, re read*, compar*, proofread*, go over, "
    "validat*, make sure, test, read, reading"
)
THINK = _concept("think*, thought, reason*, deliberat*, ponder*, reflect*, weigh*, reconsider*")
AT_LENGTH = _concept(
    "step by step, every step, detail*, length, thorough*, long, slow*, deep*, depth, every "
    "possibility, aloud, exhaustive*, all alternatives"
)

# How a sentence turns its meaning round.
NEGATOR = _concept(
    "not, never, no, none, nothing, neither, nor, without, unless, avoid*, skip*, omit*, "
    "forget*, fail*, neglect*, hesitat*, ignor*, instead of, rather than, refuse, declin*, "
    "deny, reject, stop, refrain*, nobody"
)
HINGE = _concept("without, unless, before, until, till, prior to, except")
PASSED_OVER = _concept("skipped, omitted, forgotten, dropped, left out, bypassed")
NOUGHT = _concept("nothing, no, none, neither")
CONDITION = _concept("if, when, whenever, where, wherever, in case, should the")
WAIVER = _concept(
    "optional, unnecessary, needless, not needed, not necessary, not required, no need, need "
    "not, not need, not have to, can be skipped, may be skipped, can be omitted, may be "
    "omitted, if you like, if you wish, if you want, feel free, you may, if you have time, at "
    "your discretion, superfluous, could, up to you"
)
RESTRICTION = _concept("only, solely, exclusively, nobody, just")

# Ways of speaking that would be misread word by word.
IDIOMS = {
    "not optional": "required",
    "not only": "",
    "not just": "",
    "no matter": "",
    "no later than": "by",
    "no exceptions": "",
    "no exception": "",
    "whether or not": "whether",
    "nothing but": "only",
    "nothing other than": "only",
    "no one": "nobody",
    "even when": "when",
    "when you have": "after you have",
    "and always": "|",
    "and instead": "|",
    "and never": "| never",
}
