"""Meanings of the values of an example: settings, options, secrets, parts of the alert."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from itertools import pairwise
from typing import Any

from scaffold import names
from scaffold.inference.curl import CurlRequest
from scaffold.inference.markup import pieces
from scaffold.inference.placeholders import key_of, placeholder
from scaffold.inference.secrets import (
    is_secret_name,
    is_uuid,
    secrets_of,
    secrets_of_body,
)

Path = tuple[str | int, ...]


class Role(Enum):
    """The meaning of a value."""

    MESSAGE = "message"
    ID = "id"
    DETAILS = "details"
    TIME = "time"
    LEVEL = "level"
    SECRET = "secret"
    FIELD = "field"
    CONSTANT = "constant"


class Confidence(Enum):
    """Certainty of a proposal; a person in a terminal is asked about guesses."""

    SURE = "sure"
    LIKELY = "likely"
    GUESS = "guess"


@dataclass(frozen=True)
class Value:
    """A value of an example.

    Attributes:
        where: its place: `("json", "attachments", 0, "text")`.
        value: a string, number or boolean, None, or a list of strings.
    """

    where: Path
    value: Any

    @property
    def key(self) -> str:
        """The last name of its place; `{"content": [{"value": …}]}` is content."""
        keys = [each for each in self.where if isinstance(each, str)]
        is_value = keys[-1].lower() == "value" and len(keys) > 2
        return keys[-2] if is_value else keys[-1]

    @property
    def words(self) -> str:
        """The name in lower case, its words joined by underscores."""
        return _words(self.key)

    @property
    def is_beside(self) -> bool:
        """True if it is in a part that only accompanies a message, such as a link."""
        pairs = pairwise(self.where)
        return any(
            str(each).lower() in _ASIDE and isinstance(after, int)
            for each, after in pairs
        )

    @property
    def shown(self) -> str:
        """Its place for people: `json.attachments.0.text`."""
        return ".".join(map(str, self.where))


@dataclass(frozen=True)
class Proposal:
    """The presumed meaning of a value.

    Attributes:
        value: the value.
        role: its meaning.
        reason: reason, for people.
        confidence: its certainty.
        name: key of its setting or level map, or "".
        part: the part of the text with this meaning; "" for all of it.
        is_placeholder: true if it is a placeholder of the page, not a value.
        is_optional: true if services do without it.
    """

    value: Value
    role: Role
    reason: str
    confidence: Confidence = Confidence.SURE
    name: str = ""
    part: str = ""
    is_placeholder: bool = False
    is_optional: bool = False


# the likeliest name of the message first
_MESSAGES = (
    "text", "message", "msg", "content", "body", "markdown", "html", "comment", "note",
    "description", "summary", "title", "subject", "alert", "details", "data", "value1",
)  # fmt: skip
_ASIDE = names.words("links images actions buttons fields facts mentions")
_TITLES = names.words("""
    title subject headline heading summary name alias entity_id  entityid
    dedup_key dedupkey  incident_key incidentkey fingerprint event_id eventid
    alert_id alertid alert_uid event_key correlation_id source_id entity_display_name fallback
    """)
_DETAILS = names.words("details description long_description additional_info")
_RECIPIENTS = names.words("""
    channel channels room rooms room_id roomid chat_id chatid chat to topic stream
    recipient recipients user users user_id userid users_ids team teams team_id space
    project projects queue group groups group_id device devices phone phone_number
    number mobile target targets conversation conversation_id board list idlist
    assignee assignees destination receiver receivers subscriber audience category
    person_id toperson topersonemail service service_id component_id page_id
    dst cc bcc msisdn id_list id_board
    """)
_SENDERS = names.words("""
    from sender from_name username user_name bot_name nickname icon icon_emoji icon_url
    avatar avatar_url sound source client origin originator author sender_id
    monitoring_tool priority_key component tags labels environment region
    reply_to replyto
    """)
_PEOPLE = names.words("from sender reply_to replyto to cc bcc recipient recipients")
_OF_PEOPLE = names.words("name email address mail phone number id")
_ADDRESSES = (
    ("an e-mail address", re.compile(r"[^\s@<>]+@[\w-]+(?:\.[\w-]+)+")),
    ("an e-mail address", re.compile(r"[^<>]*<[^\s@<>]+@[\w-]+(?:\.[\w-]+)+>")),
    ("a phone number", re.compile(r"\+[0-9](?:[ ().-]{0,2}[0-9]){6,14}")),
)
_TIMES = names.words("""
    timestamp time date datetime created_at start_time starts_at startsat occurred_at
    event_time ts when date_happened start_date state_start_time
    """)
_LEVELS = names.words("""
    level severity priority urgency color colour theme_color themecolor status state
    event_action eventaction action message_type messagetype alert_type alerttype
    impact criticality event_type importance loglevel type
    """)
# values of alert levels, OK first; matched regardless of case
SCALES: tuple[tuple[Any, Any, Any, Any], ...] = (
    ("resolve", "trigger", "trigger", "trigger"),
    ("resolved", "firing", "firing", "firing"),
    ("closed", "open", "open", "open"),
    ("recovery", "problem", "problem", "problem"),
    ("info", "info", "warning", "critical"),
    ("ok", "info", "warning", "critical"),
    ("recovery", "info", "warning", "critical"),
    ("success", "info", "warning", "error"),
    ("good", "good", "warning", "danger"),
    ("low", "low", "medium", "high"),
    ("lowest", "low", "high", "highest"),
    ("low", "normal", "high", "urgent"),
    ("min", "low", "default", "high"),
    ("minor", "minor", "major", "critical"),
    ("P5", "P4", "P3", "P1"),
    ("green", "blue", "yellow", "red"),
)
# words of several scales: the example does not show which one the service uses
_VAGUE = names.words(
    "low high normal medium default urgent highest lowest min open closed"
)
# keys that distinguish an event from its recovery
_OF_EVENTS = names.words("message_type messagetype alert_type alerttype")
_RECOVERING = (("recovery", "info", "warning", "critical"), *SCALES)
_HEX_COLORS = ("2EB886", "439FE0", "DAA038", "A30200")
_COLORS = ("color", "colour", "theme_color", "themecolor", "accent_color")
_HEX = re.compile(r"(#|0x)?([0-9a-fA-F]{6})")
_MAX_RGB = 0xFFFFFF
_SECONDS = range(1_000_000_000, 4_000_000_000)


def values(request: CurlRequest) -> Iterator[Value]:
    """The values of a request's headers, query and body, in their order."""
    for kind, pairs in (("headers", request.headers), ("query", request.query)):
        for name, value in pairs:
            yield Value((kind, name), value)
    match request.body_kind:
        case "json":
            yield from _leaves(request.body, ("json",))
        case "form":
            for name, value in request.body:
                yield Value(("form", name), value)
        case "text" if found := pieces(request.body):
            for index, piece in enumerate(found):
                yield Value(("text", index, piece.name), piece.text)
        case "text":
            yield Value(("text",), request.body)


def _leaves(tree: Any, where: Path) -> Iterator[Value]:
    """The scalars of JSON; a list of strings is one value."""
    if isinstance(tree, dict):
        for key, each in tree.items():
            yield from _leaves(each, (*where, key))
    elif isinstance(tree, list) and not (tree and _are_texts(tree)):
        for index, each in enumerate(tree):
            yield from _leaves(each, (*where, index))
    else:
        yield Value(where, tree)


def _are_texts(items: Sequence[Any]) -> bool:
    """True if all items are strings, and none has a secret."""
    return all(isinstance(each, str) and not secrets_of(each) for each in items)


def proposals(request: CurlRequest, message_at: str = "") -> list[Proposal]:
    """The presumed meaning of each value of a request.

    Args:
        request: the request.
        message_at: key or place of the message, if a person gives it; or "".
    """
    found = list(values(request))
    message = _message(found, message_at)
    made: list[Proposal] = []
    taken: set[Role] = set()
    for value in found:
        proposal = (
            message
            if message is not None and value is message.value
            else _proposal(value, taken)
        )
        made.append(proposal)
        if proposal.role in (Role.ID, Role.DETAILS, Role.TIME):
            taken.add(proposal.role)
    return made


def _message(found: Sequence[Value], message_at: str) -> Proposal | None:
    """The value that becomes the alert's message."""
    texts = [each for each in found if _can_be_message(each)]
    if message_at:
        for each in found:
            if message_at in (each.key, each.shown):
                return Proposal(each, Role.MESSAGE, "named by --message-key")
        return None
    named = [each for each in texts if _rank(each) < len(_MESSAGES)]
    if named:
        best = min(named, key=_rank)
        reason = f"{best.key!r} is a usual name for messages"
        return Proposal(best, Role.MESSAGE, reason)
    sentences = [each for each in texts if " " in each.value.strip()]
    if not sentences:
        return None
    longest = max(sentences, key=lambda each: len(each.value))
    reason = "the longest text of the example"
    return Proposal(longest, Role.MESSAGE, reason, Confidence.GUESS)


def _rank(value: Value) -> float:
    """Rank of a value as the message, by its name; the lowest is the likeliest.

    `TextBody` and `state_message` come right after `text` and `message`.
    """
    if value.words in _MESSAGES:
        return _MESSAGES.index(value.words)
    last = value.words.rpartition("_")[2]
    return _MESSAGES.index(last) + 0.5 if last in _MESSAGES[:5] else len(_MESSAGES)


def _words(name: str) -> str:
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return re.sub(r"[^a-z0-9]+", "_", spaced.lower()).strip("_")


def _can_be_message(value: Value) -> bool:
    if value.where[0] == "headers" or not isinstance(value.value, str):
        return False
    if value.is_beside or not value.value:
        return False
    return not (is_secret_name(value.key) or _secrets(value))


def _proposal(value: Value, taken: set[Role]) -> Proposal:
    """The role of a value that is not the message."""
    rules = (_secret, _of_placeholder, _level, _time, _party, _title, _recipient)
    for rule in rules:
        proposal = rule(value, taken)
        if proposal is not None:
            return proposal
    if isinstance(value.value, str) and " " in value.value.strip():
        reason = "the example does not show whether this text varies"
        return Proposal(value, Role.CONSTANT, reason, Confidence.GUESS)
    return Proposal(value, Role.CONSTANT, "nothing varies it", Confidence.LIKELY)


def _secret(value: Value, taken: set[Role]) -> Proposal | None:
    if not isinstance(value.value, (str, int)) or isinstance(value.value, bool):
        return None
    text = str(value.value)
    is_authorization = value.where == ("headers", value.key) and (
        value.key.lower() in ("authorization", "proxy-authorization", "cookie")
    )
    name = key_of(value.key.removeprefix("X-").removeprefix("x-"))
    if is_authorization:
        return Proposal(value, Role.SECRET, f"the header {value.key}", name="token")
    # a project's key, an id that is a UUID, a recipient: these are names, not secrets
    parents = [each for each in value.where[1:] if isinstance(each, str)]
    is_thing = value.words in _RECIPIENTS or (
        is_uuid(text) and value.words.endswith("id")
    )
    if is_thing and not is_secret_name(value.key):
        return None
    if text and is_secret_name("_".join(parents[-2:])):
        reason = f"{value.key!r} is a usual name for secrets"
        return Proposal(value, Role.SECRET, reason, name=name)
    found = placeholder(text)
    if found and is_secret_name(found.name.replace(" ", "_")):
        reason = f"{found.text} stands for a secret"
        return Proposal(
            value, Role.SECRET, reason, name=key_of(found.name), part=found.text
        )
    parts = _secrets(value)
    if parts and value.where == ("text",):
        name = "secret"
    if parts:
        # a spec that replaced one of two would still show the other
        part = parts[0] if len(parts) == 1 and parts[0] != text else ""
        reason = "it looks like a token"
        likely = Confidence.LIKELY
        return Proposal(value, Role.SECRET, reason, likely, name or "token", part)
    return None


def _secrets(value: Value) -> list[str]:
    """The parts of a value that look like secrets."""
    find = secrets_of_body if value.where == ("text",) else secrets_of
    return find(str(value.value))


def _of_placeholder(value: Value, taken: set[Role]) -> Proposal | None:
    if not isinstance(value.value, str):
        return None
    found = placeholder(value.value)
    if found is None or not key_of(found.name):
        return None
    is_known = value.words in _RECIPIENTS or value.words in _SENDERS
    is_whole = is_known or found.text == value.value.strip()
    name = key_of(value.key if is_whole and value.key else found.name)
    if value.words in _TITLES and Role.ID not in taken and is_whole:
        return None
    reason = f"{found.text} stands for a value"
    return Proposal(
        value,
        Role.FIELD,
        reason,
        name=name,
        part="" if is_whole else found.text,
        is_placeholder=found.text == value.value.strip() or not is_whole,
    )


def scale_of(value: Any, key: str) -> tuple[Any, Any, Any, Any] | None:
    """The values for OK, INFO, WARNING and CRITICAL that a value is one of, or None."""
    if isinstance(value, str):
        for scale in _RECOVERING if key in _OF_EVENTS else SCALES:
            for each in scale:
                if value.lower() == each.lower():
                    return tuple(_in_case(word, value) for word in scale)  # type: ignore[return-value] # four
        found = _HEX.fullmatch(value)
        if found and key.lower() in _COLORS:
            start = found[1] or ""
            return tuple(f"{start}{each}" for each in _HEX_COLORS)  # type: ignore[return-value] # four
    is_number = isinstance(value, int) and not isinstance(value, bool)
    if is_number and key.lower() in _COLORS and 0 <= value <= _MAX_RGB:
        return tuple(int(each, 16) for each in _HEX_COLORS)  # type: ignore[return-value] # four
    return None


def _in_case(word: str, like: str) -> str:
    """A word in the case of another: `warning`, `Warning` or `WARNING`."""
    if like.isupper():
        return word.upper()
    return word.capitalize() if like[:1].isupper() else word.lower()


def _level(value: Value, taken: set[Role]) -> Proposal | None:
    key = value.words
    if key not in _LEVELS and key not in _COLORS:
        return None
    if scale_of(value.value, key) is not None:
        reason = f"{value.key!r} follows the alert's level"
        is_vague = str(value.value).lower() in _VAGUE
        confidence = Confidence.GUESS if is_vague else Confidence.LIKELY
        name = names.identifier(key_of(key))
        return Proposal(value, Role.LEVEL, reason, confidence, name)
    if isinstance(value.value, int) and not isinstance(value.value, bool):
        reason = f"{value.key!r} is a number whose scale the example does not show"
        return Proposal(value, Role.FIELD, reason, Confidence.GUESS, key_of(key))
    return None


def _time(value: Value, taken: set[Role]) -> Proposal | None:
    if value.words not in _TIMES or Role.TIME in taken:
        return None
    if time_code(value.value) is None:
        return None
    return Proposal(value, Role.TIME, f"{value.key!r} is the time of the event")


def time_code(value: Any) -> tuple[str, int] | None:
    """The expression that writes a time like that of the example, and its nanoseconds."""
    if isinstance(value, bool) or value is None:
        return None
    text = str(value)
    if re.fullmatch(r"\d{10}|\d{13}", text):
        is_ms = len(text) == 13
        seconds = int(text) // 1000 if is_ms else int(text)
        if seconds not in _SECONDS:
            return None
        function = "unix_ms" if is_ms else "unix"
        code = f"{function}(event.time)"
        return (
            code if isinstance(value, int) else f"text({code})",
            int(text) * (1_000_000 if is_ms else 1_000_000_000),
        )
    found = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z", text)
    if found is None:
        return None
    try:
        moment = datetime.fromisoformat(f"{found[1]}+00:00").astimezone(UTC)
    except ValueError:
        return None
    digits = found[2] or ""
    nanoseconds = int(moment.timestamp()) * 10**9 + int(digits.ljust(9, "0") or 0)
    places = f", {len(digits)}" if digits else ""
    return f"rfc3339(event.time{places})", nanoseconds


def _title(value: Value, taken: set[Role]) -> Proposal | None:
    key = value.words
    if not isinstance(value.value, str) or not value.value or value.is_beside:
        return None
    if key in _TITLES and Role.ID not in taken:
        return Proposal(
            value,
            Role.ID,
            f"{value.key!r} names the alert",
            Confidence.LIKELY,
        )
    if key in _DETAILS and Role.DETAILS not in taken:
        reason = f"{value.key!r} is a longer text about the alert"
        return Proposal(value, Role.DETAILS, reason, Confidence.GUESS)
    return None


def _party(value: Value, taken: set[Role]) -> Proposal | None:
    """A person by name or address: `{"sender": {"name": …}}`, `"+14155550100"`."""
    if value.where[0] == "headers" or not isinstance(value.value, str):
        return None
    if value.is_beside:
        return None
    *above, key = [each for each in value.where[1:] if isinstance(each, str)] or [""]
    parent = _words(above[-1]) if above else ""
    is_person = parent in _PEOPLE and value.words in _OF_PEOPLE
    noun = next((n for n, form in _ADDRESSES if form.fullmatch(value.value)), "")
    if not value.value or not (is_person or noun):
        return None
    if is_person:
        role = "the sender" if parent in _SENDERS else "a recipient"
        reason = f"'{above[-1]}.{key}' is part of {role}"
        if noun:
            reason += f", and looks like {noun}"
    else:
        reason = f"it looks like {noun}"
    name = key_of(f"{above[-1]}-{key}" if is_person else key) or "address"
    return Proposal(
        value,
        Role.FIELD,
        reason,
        Confidence.LIKELY,
        name,
        is_optional=parent in _SENDERS or value.words in _SENDERS,
    )


def _recipient(value: Value, taken: set[Role]) -> Proposal | None:
    key = value.words
    is_listed = key in _RECIPIENTS or key in _SENDERS
    is_value = isinstance(value.value, (str, int, list)) and value.value != ""
    if value.where[0] == "headers" or not is_listed or not is_value:
        return None
    if isinstance(value.value, bool):
        return None
    kind = "a recipient" if key in _RECIPIENTS else "the sender"
    reason = f"{value.key!r} names {kind}"
    return Proposal(
        value,
        Role.FIELD,
        reason,
        Confidence.LIKELY,
        key_of(value.key),
        is_optional=key in _SENDERS,
    )


def taken_as(proposal: Proposal, role: Role) -> Proposal:
    """A proposal with the role that a person gives its value."""
    return Proposal(
        proposal.value,
        role,
        "your answer",
        name=proposal.name or key_of(proposal.value.key),
    )
