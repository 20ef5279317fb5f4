"""Every form that a handler's name takes: the only module that changes case.

`hipchat` with the property `hipChat` is the package `hipchat`, the class prefix
`HipChat`.
"""

from __future__ import annotations

import builtins
import difflib
import keyword
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from scaffold.errors import Fault

_KIND = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)
_KEY = re.compile(r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*", re.ASCII)
_PROPERTY = re.compile(r"[a-z][A-Za-z0-9]{0,39}", re.ASCII)
_KEY_LENGTH = 40
# on another machine
_ADDRESS = r"""https?://(?!localhost\b|127\.)[^\s"'<>()]+"""


def words(text: str) -> frozenset[str]:
    """The words of a string."""
    return frozenset(text.split())


_DEVICES = words("con prn aux nul") | {
    f"{port}{number}" for port in ("com", "lpt") for number in range(1, 10)
}

# Properties of alert nodes; a handler of such a name would hide one.
ALERT_PROPERTIES = words("""
    all category crit critReset details durationField flapping history id idField idTag
    info infoReset inhibit levelField levelTag message messageField noRecoveries
    stateChangesOnly topic warn warnReset quiet
    """)

# Tables of the configuration file that mean something else, packages of the runtime,
# and words whose derived classes the runtime has already.
_RESERVED = words("""
    aggregate alert auth azure collectd config consul data_dir deadman dns ec2 event
    exec file_discovery gce handler handler_services hostname http httpd httppost
    influxdb kubernetes level load log logging marathon nerve node opentsdb options
    override pipeline post publish replay reporting request response scraper secret
    server serverset service services servicetest smtp_server static_discovery stats
    storage swarm task task_store tcp tls topic triton udf udp urls expressions instances
    config_override skip_config_overrides default_retention_policy alert_node children
    parents name handlers handlers_of noop self cls http_post write
    add_inhibitor call call_fields delivery flap_high flap_low go_type
    inhibitors is_guarded is_sink kind provides requires_users set_flapping
    set_state_changes_only state_changes_only_duration unsupported use_flapping validate
    caveat former_name
    """)
# suffixes of a handler's name for things that belong to it
_SUFFIXES = ("_config", "_handler", "_server", "_service", "_test")


@dataclass(frozen=True)
class Names:
    """The forms of one handler's name.

    Attributes:
        kind: TOML table, HTTP kind, service test, package: `hipchat`.
        property: the TICKscript property: `hipChat`.
    """

    kind: str
    property: str

    @cached_property
    def package(self) -> str:
        """The package below `services`."""
        return self.kind

    @cached_property
    def class_name(self) -> str:
        """The prefix of classes: `HipChat`."""
        return self.property[:1].upper() + self.property[1:]

    @cached_property
    def section(self) -> str:
        """The section that the runtime derives from the field `kind`."""
        return self.kind.replace("_", "-")


def snake_case(name: str) -> str:
    """`hipChat` → `hip_chat`, `opsGenie2` → `ops_genie2`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def camel_case(name: str) -> str:
    """`icon-emoji` → `iconEmoji`, `hip_chat` → `hipChat`."""
    first, *rest = [part for part in re.split("[-_]", name) if part] or [name]
    return first + "".join(part.capitalize() for part in rest)


def identifier(key: str) -> str:
    """The Python name of a key: `icon-emoji` → `icon_emoji`, `from` → `from_`."""
    name = key.replace("-", "_")
    return f"{name}_" if keyword.iskeyword(name) else name


def constant(key: str) -> str:
    """The name of a module's constant: `color` → `COLOR`."""
    return key.replace("-", "_").upper()


def default_property(kind: str) -> str:
    """The TICKscript property of a handler without an explicit one."""
    return camel_case(kind) if re.search("[a-z]", kind) else kind


def closest(word: object, known: Iterable[str]) -> str:
    """The known word that was probably meant, or ""."""
    near = difflib.get_close_matches(str(word), sorted(known), n=1, cutoff=0.6)
    return near[0] if near else ""


def kind_faults(kind: str, where: str, existing: Collection[str] = ()) -> list[Fault]:
    """Faults of a handler name.

    Args:
        kind: the name.
        where: its place, for messages.
        existing: the kinds of existing handlers.
    """
    faults = []
    if not _KIND.fullmatch(kind):
        faults.append(
            Fault(
                where,
                f"{_quoted(kind)} is not a handler name; start with a to z, then use a to z, 0 to 9 "
                "and _, at most 40 characters",
                "",
                _ascii_guess(kind),
            )
        )
        return faults
    if kind.endswith("_") or "__" in kind:
        faults.append(Fault(where, f"{kind!r} ends with _ or has two in a row"))
    taken = _taken(kind)
    if taken:
        faults.append(Fault(where, f"{kind!r} is {taken}"))
    folded = _folded(kind)
    for suffix in _SUFFIXES:
        owner = kind.removesuffix(suffix)
        if owner != kind and owner in existing:
            problem = f"{kind!r} is the name of a part of the handler {owner!r}"
            faults.append(Fault(where, problem))
    for other in sorted(existing):
        if _folded(other) == folded:
            is_same = other == kind
            problem = (
                f"the handler {kind!r} already exists"
                if is_same
                else f"{kind!r} differs from the handler {other!r} in underscores only"
            )
            faults.append(Fault(where, problem))
    return faults


def reserved_kinds() -> list[str]:
    """Names that no handler may have, regardless of other handlers."""
    properties = {snake_case(each) for each in ALERT_PROPERTIES}
    keywords = {*keyword.kwlist, *keyword.softkwlist}
    known = {*dir(builtins), *keywords, *_DEVICES, *properties, *_RESERVED}
    return sorted(name for name in known if _KIND.fullmatch(name))


def property_faults(
    property: str, where: str, existing: Collection[str] = ()
) -> list[Fault]:
    """Faults of the name of a TICKscript property of alert nodes.

    Args:
        property: the name.
        where: its place, for messages.
        existing: the properties of existing handlers.
    """
    if not _PROPERTY.fullmatch(property):
        return [
            Fault(
                where,
                f"{_quoted(property)} is not a name for a TICKscript property; start with a to "
                "z, then use letters and digits, at most 40 characters",
            )
        ]
    faults = []
    if property.lower() in {each.lower() for each in ALERT_PROPERTIES}:
        faults.append(Fault(where, f"alert nodes already have a property {property!r}"))
    elif camel_case(snake_case(property)) != property:
        faults.append(
            Fault(
                where,
                f"{property!r} has two upper-case letters in a row",
                suggestion=repr(camel_case(snake_case(property.lower()))),
            )
        )
    else:
        taken = _taken(snake_case(property))
        if taken:
            faults.append(Fault(where, f"{property!r} is {taken}"))
    if property.lower() in {other.lower() for other in existing}:
        faults.append(Fault(where, f"another handler has the property {property!r}"))
    return faults


def key_faults(
    key: str, where: str, reserved: Iterable[str] = (), what: str = "key"
) -> list[Fault]:
    """Faults of the name of a configuration key, option or value.

    Args:
        key: the name, as in TOML.
        where: its place, for messages.
        reserved: Python names with another meaning there.
        what: noun for the named thing, for messages.
    """
    if not _KEY.fullmatch(key) or len(key) > _KEY_LENGTH:
        return [
            Fault(
                where,
                f"{_quoted(key)} is not a name for a {what}; start with a to z, then use a to z, "
                f"0 to 9, single - and _, at most {_KEY_LENGTH} characters",
                "",
                _ascii_guess(key),
            )
        ]
    if identifier(key) in set(reserved):
        return [Fault(where, f"{key!r} is a reserved name; use another")]
    return []


def same_names(keys: Iterable[str]) -> list[tuple[str, str]]:
    """Pairs of keys with the same Python name: `chat-id` and `chat_id`."""
    seen: dict[str, str] = {}
    pairs = []
    for key in keys:
        name = identifier(key)
        if name in seen:
            pairs.append((seen[name], key))
        seen.setdefault(name, key)
    return pairs


def _taken(name: str) -> str:
    # builtins first: from 3.12 on `type` is a keyword, too
    if hasattr(builtins, name):
        return "a Python builtin"
    if keyword.iskeyword(name) or keyword.issoftkeyword(name):
        return "a Python keyword"
    if name in _DEVICES:
        return "a device name on Windows"
    if name in {snake_case(each) for each in ALERT_PROPERTIES}:
        return "a property of all alert nodes"
    if name in _RESERVED:
        return "reserved by the runtime"
    return ""


def _folded(name: str) -> str:
    return name.replace("_", "").casefold()


def _ascii_guess(name: str) -> str:
    # letters without their accents, and ß as ss
    plain = unicodedata.normalize("NFKD", snake_case(name).casefold())
    letters = "".join(char for char in plain if not unicodedata.combining(char))
    guess = re.sub("[^a-z0-9]+", "_", letters).strip("_")[:40]
    return repr(guess) if guess != name and _KIND.fullmatch(guess) else ""


def _quoted(name: str) -> str:
    """The name in quotes, with the code points of characters that are not plain ASCII."""
    name = name if len(name) <= 60 else f"{name[:57]}..."
    odd = sorted({char for char in name if not (" " <= char < "\x7f")})
    if not odd:
        return repr(name)
    points = ", ".join(f"U+{ord(char):04X}" for char in odd[:5])
    return f"{name!a} (with {points})"


def rewording(old: Names, new: Names, kept: Iterable[str] = ()) -> Callable[[str], str]:
    """A function that replaces a handler's old names with the new ones in a text.

    It changes whole words and parts of identifiers, `FooServer` and `test_foo_service`
    but not `footer`, and nothing in the URL of another server.

    Args:
        old: the names to look for.
        new: the names to put there.
        kept: texts that stay, such as the names of other handlers.
    """
    forms = {
        f"{old.kind}test": f"{new.kind}test",
        old.class_name: new.class_name,
        old.kind.upper(): new.kind.upper(),
        old.section: new.section,
        old.property: new.property,
        # last, so that it wins where forms are the same: it is the commonest
        old.kind: new.kind,
    }
    table = {**{each: each for each in kept}, **forms}
    word = re.escape(old.property)
    called = rf"(?P<property>(?<=\.){word}(?=\()|(?<![A-Za-z0-9]){word}(?=[A-Z]))"
    parts = [
        (len(old.property), called),
        *((len(each), _as_part(each)) for each in table),
    ]
    # the longest first; where a word is also the property, calls of the property first
    parts.sort(key=lambda part: part[0], reverse=True)
    pattern = re.compile("|".join([_ADDRESS, *(part for _, part in parts)]))

    def renamed(found: re.Match[str]) -> str:
        return new.property if found["property"] else table.get(found[0], found[0])

    return lambda text: pattern.sub(renamed, text)


def staying(old: Names, new: Names, texts: Iterable[str]) -> Iterator[str]:
    """Uses of the old name for something else, with their surroundings: `options.foo`.

    Args:
        old: the names before.
        new: the names afterwards.
        texts: the generated texts under the new names.

    Yields:
        Pieces with the old name that are generated under the new names as well, such as
        the name of a setting, and that never occur with the new name.
    """
    beside = (
        r"""(?:\b\w+\.|["'])?(?<![A-Za-z0-9_]){}(?![A-Za-z0-9_])["']?(?:: |[:=])?"""
    )
    before, after = (
        {
            found
            for text in texts
            for found in re.findall(beside.format(re.escape(kind)), text)
            if found != kind
        }
        for kind in (old.kind, new.kind)
    )
    yield from (
        each for each in before if each.replace(old.kind, new.kind) not in after
    )


def _as_part(word: str) -> str:
    """A pattern of a word that is a whole part of an identifier."""
    is_camel = word[:1].isupper() and not word.isupper()
    before = "" if is_camel or not word[:1].isalnum() else "(?<![A-Za-z0-9])"
    after = "(?![A-Za-z0-9])" if word.isupper() else "(?![a-z0-9])"
    if not word[-1:].isalnum():
        after = ""
    return f"{before}{re.escape(word)}{after}"
