"""The words of a command line as a shell splits it, from text that a browser has copied."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field

from scaffold.errors import UsageError

# plain characters for the typographic ones of editors and browsers
_PLAIN = str.maketrans({
    "\u00a0": " ", "\u2028": "\n", "\u200b": "", "\ufeff": "",
    "\u201c": '"', "\u201d": '"', "\u2018": "'", "\u2019": "'",
})  # fmt: skip
_DASHES = re.compile(r"(?<!\S)[\u2013\u2014](?=[A-Za-z])")
_PROMPT = re.compile(r"\A\s*(?:[$%>#]|PS>|C:\\>)\s+")
# lines before the command; `#` is also the prompt of root
_COMMENT = re.compile(r"\A(?:\s*(?:#(?!\s*curl\b)|REM |::)[^\n]*\n)+")
# line ends that continue a command in cmd.exe and PowerShell
_CONTINUED = re.compile(r"[ \t][\^`][ \t]*\r?\n")
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)=")
_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)\})")
# statements before the command that only set variables
_SETTERS = ("export", "set", "declare", "local", "readonly")
# words before the command
_BEFORE = ("sudo", "time", "$", "%", ">")
_ENDS = ("|", ";", "\n", ">", "<", "&&")
# beginnings of continued lines
_ARGUMENTS = ("-", "'", '"', "http://", "https://")
_ESCAPES = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "a": "\a",
    "b": "\b",
    "e": "\x1b",
}
# numbers are as long as a shell reads them: `\x27b` is `'b`
_ESCAPED = re.compile(
    r"\\(?:x(?P<x>[0-9a-fA-F]{1,2})|u(?P<u>[0-9a-fA-F]{1,4})|U(?P<U>[0-9a-fA-F]{1,8})"
    r"|(?P<octal>[0-7]{1,3})|(?P<one>.))",
    re.DOTALL,
)
_HEREDOC = re.compile(r"<<-?[ \t]*(['\"]?)(\w+)\1([^\n]*)\n")


@dataclass
class CommandLine:
    """One command of a shell.

    Attributes:
        words: the command's name and its arguments; variables are left as they stand.
        document: text of its here-document, or None.
        notes: parts of the text that were not read.
    """

    words: list[str] = field(default_factory=list)
    document: str | None = None
    notes: list[str] = field(default_factory=list)


def split(text: str) -> CommandLine:
    """The first command of a text.

    Quotes, backslashes, `$'…'`, here-documents and continued lines have their meaning in
    a POSIX shell; `^` and a backtick at the end of a line continue it, as in Windows'
    shells. An `&` inside a word is part of it: pages show URLs without quotes. Comments
    and assignments before the command are left out; variables that hold a URL are replaced.

    Raises:
        UsageError: a quote is not closed.
    """
    text = _plain(text)
    line = CommandLine()
    text, line.document = _without_document(text)
    reader = _Reader(text)
    addresses: dict[str, str] = {}
    while not line.words and reader.at < len(text):
        words = list(reader.words())
        addresses |= _addresses(words)
        line.words = [_addressed(each, addresses) for each in _command(words)]
        if not line.words:
            reader.skip_end()
    rest = text[reader.at :].strip()
    if rest and line.words:
        line.notes.append("not read: the text after the command")
    return line


def _command(words: list[str]) -> list[str]:
    """The words of a command from its name on; none for a line that only sets variables."""
    for index, word in enumerate(words):
        if word in _SETTERS:
            return []
        if word not in _BEFORE and not _ASSIGNMENT.match(word):
            return words[index:]
    return []


def _addresses(words: list[str]) -> dict[str, str]:
    """The variables that are set to a URL; the values of others may be secrets."""
    pairs = (each.split("=", 1) for each in words if _ASSIGNMENT.match(each))
    return {
        name: value
        for name, value in pairs
        if value.startswith(("http://", "https://"))
    }


def _addressed(word: str, addresses: dict[str, str]) -> str:
    return _VARIABLE.sub(lambda each: addresses.get(each[1] or each[2], each[0]), word)


def _plain(text: str) -> str:
    """The text without a prompt, and with plain quotes, dashes and continued lines."""
    # a curly quote inside plain ones is meant
    if '"' not in text and "'" not in text:
        text = text.translate(_PLAIN)
    text = _DASHES.sub(lambda found: "--" if found[0] == "\u2014" else "-", text)
    text = text.replace("\u00a0", " ").replace("\ufeff", "").replace("\r\n", "\n")
    text = _COMMENT.sub("", text)
    return _CONTINUED.sub(" ", _PROMPT.sub("", text)).strip()


def _without_document(text: str) -> tuple[str, str | None]:
    """The text without its here-document, and the content of that."""
    found = _HEREDOC.search(text)
    if found is None:
        return text, None
    content, end, after = text[found.end() :].partition(f"\n{found[2]}")
    if not end:
        raise UsageError(f"the here-document has no last line {found[2]!r}")
    return text[: found.start()] + found[3] + after, content


class _Reader:
    """Reads words from a text.

    Attributes:
        at: position of the next character.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self.at = 0

    def words(self) -> Iterator[str]:
        """The words up to the end of the command."""
        while True:
            self._skip_blanks()
            if self.at >= len(self._text) or self._is_end():
                return
            yield self._word()

    def skip_end(self) -> None:
        """Skip the end of a command."""
        while self.at < len(self._text) and self._text[self.at] in "&|;\n \t":
            self.at += 1

    def _skip_blanks(self) -> None:
        while self.at < len(self._text):
            if self._text.startswith("\\\n", self.at):
                self.at += 2
            elif self._text[self.at] in " \t" or self._continues():
                self.at += 1
            else:
                return

    def _continues(self) -> bool:
        """True at a line end whose backslash was lost: an argument follows."""
        rest = self._text[self.at :]
        return rest.startswith("\n") and rest.lstrip().startswith(_ARGUMENTS)

    def _is_end(self) -> bool:
        # `<token>` is a placeholder, no redirection
        if re.match(r"<[A-Za-z][^<>\n]*>", self._text[self.at :]):
            return False
        return self._text.startswith(_ENDS, self.at)

    def _word(self) -> str:
        parts: list[str] = []
        while self.at < len(self._text):
            here = self._text[self.at]
            if here in " \t\n;|" or self._text.startswith("&&", self.at):
                break
            if self._text.startswith("\\\n", self.at):
                self.at += 2
                break
            parts.append(self._piece(here))
        return "".join(parts)

    def _piece(self, here: str) -> str:
        """The next quoted part, or the next character."""
        if here == "'":
            return self._until("'", 1)
        if self._text.startswith("$'", self.at):
            return _unescaped(self._until("'", 2, has_escapes=True))
        if here == '"':
            raw = self._until('"', 1, has_escapes=True)
            return re.sub(r"\\([\"\\$`\n])", lambda x: x[1].strip("\n"), raw)
        self.at += 1
        if here == "\\" and self.at < len(self._text):
            self.at += 1
            return self._text[self.at - 1]
        return here

    def _until(self, quote: str, skipped: int, *, has_escapes: bool = False) -> str:
        """The text up to the closing quote, which is read too."""
        start = self.at + skipped
        end = start
        while end < len(self._text) and self._text[end] != quote:
            end += 2 if has_escapes and self._text[end] == "\\" else 1
        if end >= len(self._text):
            # not its text, which may be a secret
            line = self._text.count("\n", 0, self.at) + 1
            column = self.at - self._text.rfind("\n", 0, self.at)
            where = f"line {line}, column {column}"
            raise UsageError(f"the quote {quote} is not closed; it begins in {where}")
        self.at = end + 1
        return self._text[start:end]


def _unescaped(text: str) -> str:
    r"""The text of `$'…'`: `\n` is a line end.

    Raises:
        UsageError: an escape has a number beyond Unicode.
    """

    def character(found: re.Match[str]) -> str:
        if found["octal"]:
            return chr(int(found["octal"], 8) & 0xFF)
        if number := found["x"] or found["u"] or found["U"]:
            if int(number, 16) > sys.maxunicode:
                raise UsageError("an escape of the example is beyond Unicode")
            return chr(int(number, 16))
        return _ESCAPES.get(found["one"], found["one"])

    return _ESCAPED.sub(character, text)
