"""Tokens, known by their looks; none may be committed."""

from __future__ import annotations

import math
import re
from collections import Counter

# prefixes that only tokens have
_PREFIXED = re.compile(
    r"(?:xox[a-z]|xapp|gh[opsu]|github_pat|glpat|[sr]k|whsec|lin_api|dop_v1|shp[a-z]{2})"
    r"[-_].+|(?:AKIA|AIza|eyJ)[\w.-]{12,}"
)
# three letters or more, one of them a vowel
_WORD = re.compile(r"(?=\w{3})\w*[aeiouy]", re.IGNORECASE)
# runs of the characters of tokens
_TOKENS = re.compile(r"[\w+=.~-]+")
_SECRET_LENGTH = 16
_PART_LENGTH = 8
# no word with digits is so long, so longer ones are random despite repetitions
_LONG = 24
# bits a character: words have less, random letters and digits more
_ENTROPY = 3.2


def tokens_in(text: str) -> list[str]:
    """The parts of a text that look like tokens."""
    return [each for each in _TOKENS.findall(text) if is_token(each)]


def is_token(text: str) -> bool:
    """True if a word looks like a token: it begins like one, or is long and random."""
    if _PREFIXED.fullmatch(text):
        return True
    return any(_is_random(word) for word in re.split(r"[/:.@=&?,]", text))


def _is_random(word: str) -> bool:
    """True for long words of letters and digits without the repetitions of a language."""
    if len(word) < _SECRET_LENGTH or re.fullmatch(r"[0-9+-]+", word):
        return False
    if not re.fullmatch(r"[\w+=-]+", word, re.ASCII):
        return False
    humps = re.findall(r"[A-Z]?[a-z]+|[A-Z]+", word)
    if word.isalpha() and all(map(_WORD.match, humps)):
        return False  # OverwriteQuietHours
    has_digits = any(each.isdigit() for each in word)
    parts = [part for part in re.split(r"[-_]", word) if part]
    if len(parts) > 1 and all(part.isalpha() or part.isdigit() for part in parts):
        return False  # words and numbers that are joined
    if max(map(len, parts), default=0) < _PART_LENGTH:
        return False  # gpt-4o-mini-2024-07-18
    is_mixed = not (word.islower() or word.isupper())
    is_long = has_digits and len(word) >= _LONG
    return is_long or ((has_digits or is_mixed) and _entropy(word) >= _ENTROPY)


def _entropy(word: str) -> float:
    """Bits a character, by the frequencies of the word itself.

    Source: Shannon, A Mathematical Theory of Communication, 6.
    """
    size = len(word)
    shares = [count / size for count in Counter(word).values()]
    return -sum(share * math.log2(share) for share in shares)
