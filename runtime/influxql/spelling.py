"""Keywords, operators and quotes of InfluxQL."""

from __future__ import annotations

import re

_KEYWORDS = """
    ALL ALTER ANALYZE AND ANY AS ASC BEGIN BY CARDINALITY CREATE CONTINUOUS DATABASE
    DATABASES DEFAULT DELETE DESC DESTINATIONS DIAGNOSTICS DISTINCT DROP DURATION END
    EVERY EXACT EXPLAIN FALSE FIELD FOR FROM GRANT GRANTS GROUP GROUPS IN INF INSERT
    INTO KEY KEYS KILL LIMIT MEASUREMENT MEASUREMENTS NAME OFFSET ON OR ORDER PASSWORD
    POLICY POLICIES PRIVILEGES QUERIES QUERY READ REPLICATION RESAMPLE RETENTION REVOKE
    SELECT SERIES SET SHOW SHARD SHARDS SLIMIT SOFFSET STATS SUBSCRIPTION SUBSCRIPTIONS
    TAG TO TRUE USER USERS VALUES WHERE WITH WRITE
"""
KEYWORDS = frozenset(_KEYWORDS.split())

# An operator with a larger number binds tighter. `^` binds like `+`.
PRECEDENCE = {
    **{"OR": 1, "AND": 2},
    **dict.fromkeys(("=", "!=", "=~", "!~", "<", "<=", ">", ">="), 3),
    **dict.fromkeys(("+", "-", "|", "^"), 4),
    **dict.fromkeys(("*", "/", "%", "&"), 5),
}

_BARE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ESCAPES = str.maketrans({"\n": r"\n", "\\": r"\\"})


def is_keyword(word: str) -> bool:
    """True if `word`, in any case, is reserved."""
    return word.upper() in KEYWORDS


def quoted_string(value: str) -> str:
    """A string literal: `'it\\'s'`.

    Source: influxql.QuoteString.
    """
    return "'" + value.translate(_ESCAPES).replace("'", r"\'") + "'"


def identifier(name: str) -> str:
    """`name` as an identifier, in quotes where it needs them: `"usage idle"`.

    Source: influxql.QuoteIdent of one segment.
    """
    if _BARE.fullmatch(name) and not is_keyword(name):
        return name
    return always_quoted(name)


def always_quoted(name: str) -> str:
    """`name` as an identifier in quotes."""
    return '"' + name.translate(_ESCAPES).replace('"', r"\"") + '"'
