"""The spec inferred from an example, as text with the reason for each of its parts."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from scaffold import names
from scaffold.inference import address
from scaffold.inference.curl import CurlRequest
from scaffold.inference.markup import pieces
from scaffold.inference.placeholders import key_of, placeholder
from scaffold.inference.roles import (
    Confidence,
    Path,
    Proposal,
    Role,
    scale_of,
    time_code,
)
from scaffold.inference.secrets import looks_secret
from scaffold.inference.settings import Setting, Settings
from scaffold.spec.toml import toml_key, toml_table, toml_text, toml_tree

_SIGNATURE = re.compile(r"signature|hmac|^sig$|^sign$", re.IGNORECASE)
_TEXT_IN_PATH = "URL: '{}' in the path sent as it is (the example does not show whether this text varies)"
_SIGNED = (
    "{}: it signs one request, so no setting can hold it; a spec makes signatures with "
    "hmac_sha256() and the like"
)
_LEVELS = ("OK", "INFO", "WARNING", "CRITICAL")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9_-]*)\s+(\S+)")
# one parameter, such as `token=abc`, perhaps after a scheme
_ASSIGNED = re.compile(
    r"((?:[A-Za-z][\w-]* )?[A-Za-z][\w-]*=)\"?([^\s\",]*[^\s\",=]=*)\"?"
)
# several of them, one of which is a secret or signs the request
_PARAMETERS = re.compile(r"([A-Za-z][\w-]* )\s*[A-Za-z][\w-]*=.*", re.DOTALL)
_CODE = re.compile(r"(?<!\$)\$\{(.*?)\}")
# fixed words that accompany an API key
_NO_PASSWORDS = ("", "x", "x-oauth-basic", "api_token")
# … or a placeholder for a password that accompanies it
_PASSWORDS = ("pass", "password")
_NO_USERS = ("api", "apikey", "token", "key")
_PATH_SAFE = "/$&+,:;=@~"


@dataclass
class SpecDraft:
    """A spec made of an example.

    Attributes:
        text: the spec as TOML.
        reasons: place, meaning and reason of each value that is not a constant.
        doubts: guesses and gaps for a person to check.
    """

    text: str
    reasons: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)


def drafted(
    name: str,
    request: CurlRequest,
    proposals: Sequence[Proposal],
    handler: Mapping[str, Any] | None = None,
) -> SpecDraft:
    """The spec of a handler that sends the request of an example.

    Args:
        name: name of the handler.
        request: the example.
        proposals: meanings of its values.
        handler: further keys of `[handler]`.
    """
    return _Writer(name, request, proposals, handler or {}).draft()


class _Writer:
    def __init__(
        self,
        name: str,
        request: CurlRequest,
        proposals: Sequence[Proposal],
        handler: Mapping[str, Any],
    ) -> None:
        self._name = name
        self._request = request
        self._proposals = {each.value.where: each for each in proposals}
        self._handler = handler
        self._settings = Settings()
        self._levels: dict[str, dict[str, Any]] = {}
        self._level = ""
        self._event: dict[str, Any] = {}
        self._auth: dict[str, Any] = {}
        self._reasons: list[str] = []
        self._doubts: list[str] = []

    def draft(self) -> SpecDraft:
        """The whole spec."""
        url, path, wanted_path = self._url()
        self._user()
        headers = self._pairs("headers", self._request.headers)
        query = self._pairs("query", self._request.query)
        body, wanted_body = self._body()
        sent: dict[str, Any] = (
            {"method": self._request.method} if (self._request.method != "POST") else {}
        )
        sent |= {"url": url} | ({"path": path} if path else {})
        sent |= {"query": query[0]} if query[0] else {}
        sent |= {"headers": headers[0]} if headers[0] else {}
        sent |= {"auth": self._auth} if self._auth else {}
        want: dict[str, Any] = {"method": self._request.method, "path": wanted_path}
        want |= {"query": query[1]} if query[1] else {}
        want |= {"headers": headers[1]} if headers[1] else {}
        parts = [
            self._head(),
            self._settings.config_table(),
            self._settings.option_table(),
            *self._level_tables(),
            toml_table("[[request]]", sent) + self._body_text(body),
            self._test(),
            self._example(want | wanted_body),
        ]
        doubts = [
            f"{each.value.shown}: {_meaning(each)} ({each.reason})"
            for each in self._proposals.values()
            if each.confidence is Confidence.GUESS
        ]
        if not any(each.role is Role.MESSAGE for each in self._proposals.values()):
            doubts.insert(0, "no value looks like the message of an alert")
        text = "\n".join(part for part in parts if part)
        # a guess is a doubt, and reported as one only
        doubts = [*dict.fromkeys((*self._request.notes, *self._doubts, *doubts))]
        reasons = [each for each in self._reasons if each not in doubts]
        return SpecDraft(text, [*dict.fromkeys(reasons)], doubts)

    # the destination

    def _url(self) -> tuple[str, Any, str]:
        """URL and path of the request, and the expected path for the example."""
        found = address.read(self._request.url)
        if found.is_secret:
            table = {
                "secret": True,
                "required": "enabled",
                "check": "url",
                "doc": "URL of the webhook; required when enabled.",
            }
            hidden = _without_secrets(found.path)
            why = "the URL of a webhook is a secret as a whole"
            self._settings.add("url", Setting(table, why, hidden))
            self._explain("URL", "secret config.url", why)
            return "${config.url}", None, hidden
        whole = found.is_public and found.is_plain
        default = found.base + (found.text if whole else "")
        why = "the address of the example" if found.is_public else "your own server"
        table = {"type": "url", "required": "enabled"}
        table |= {"default": default} if found.is_public else {}
        table["doc"] = (
            "URL of the API."
            if found.is_public
            else "URL of the server; required when enabled."
        )
        example = (found.text or "/") if whole else "/"
        self._settings.add("url", Setting(table, why, example))
        self._explain("URL", "config.url", why)
        if whole or found.text in ("", "/"):
            return "${config.url}", None, example
        segments = [self._segment(each) for each in found.path]
        texts = [text for text, _ in segments]
        path: str | list[str] = "/".join(texts) if "" in texts else texts
        wanted = "".join(f"/{quote(value, safe=_PATH_SAFE)}" for _, value in segments)
        return "${config.url}", path, wanted

    def _segment(self, part: address.Part) -> tuple[str, str]:
        """A segment of the path as text of the spec, and in the example."""
        if not part.kind:
            if " " in part.text.strip() or not part.text.isascii():
                self._doubts.append(_TEXT_IN_PATH.format(part.text))
            return _escaped(part.text), part.text
        if part.kind == "secret":
            why = "a secret in the path of the URL"
            code, value = self._settings.secret(part.name, why)
            self._explain("URL", f"secret {code}", why)
        else:
            is_number = part.text.isdigit()
            value = part.text if is_number else f"example-{part.name}"
            why = f"{part.text} in the path of the URL varies"
            code = self._settings.field(part.name, value, why)
            self._explain("URL", code, why)
        before, after = _escaped(part.before), _escaped(part.after)
        return (
            f"{before}${{{code}}}{after}",
            f"{part.before}{value}{part.after}",
        )

    def _user(self) -> None:
        """Basic authentication."""
        if self._request.user is None:
            return
        user, password = self._request.user
        if _is_no_password(password, user):
            # an API key in place of the user
            first, _ = self._settings.secret("api-key", "the user of the example")
            second = f"'{password}'"
        else:
            first = self._credential(user)
            found = placeholder(password)
            key = key_of(found.name) if found else ""
            is_key = user.lower() in _NO_USERS
            default = "api-key" if is_key else "password"
            second, _ = self._settings.secret(
                key or default, "the password of the example"
            )
        self._auth = {"basic": [first, second]}
        self._explain("user", "auth.basic", "basic authentication")

    def _credential(self, user: str) -> str:
        """The expression for a user name; that of the same field in the URL, if there is one."""
        if user.lower() in _NO_USERS:
            return f"'{user}'"
        found = placeholder(user)
        key = key_of(found.name) if found else ""
        key = key or ("email" if "@" in user else "username")
        known = self._settings.get(key)
        if known is not None and known.is_option:
            return f"opt.{names.identifier(key)}"
        words = key.replace("-", " ")
        table = {"required": "enabled", "doc": f"{words} of the account."}
        why = "the user of the example"
        key = self._settings.add(key, Setting(table, why, f"example-{key}"))
        return f"config.{names.identifier(key)}"

    # the content

    def _pairs(
        self, table: str, pairs: Sequence[tuple[str, str]]
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Headers or a query: as they stand in the spec, and in the example."""
        in_spec: dict[str, Any] = {}
        wanted: dict[str, Any] = {}
        for name, value in pairs:
            if table == "headers" and name.lower() == "authorization":
                wanted[name] = self._authorization(in_spec, name, value)
                continue
            text, sent = self._value((table, name), value)
            in_spec[name], wanted[name] = text, sent
        return in_spec, wanted

    def _authorization(self, in_spec: dict[str, Any], name: str, value: str) -> str:
        """A header with a token; returns the expected value for the example."""
        why = "the header Authorization"
        plain = _SCHEME.fullmatch(value)
        code, token = self._settings.secret("token", why)
        self._explain(f"headers.{name}", f"secret {code}", why)
        if re.search(r"signature\s*=", value, re.IGNORECASE):
            self._doubts.append(_SIGNED.format(f"headers.{name}"))
        if plain and "=" not in plain[2].rstrip("="):
            self._auth = {"token": code}
            if plain[1] != "Bearer":
                self._auth = {"scheme": plain[1], "token": code}
            return f"{plain[1]} {token}"
        found = _ASSIGNED.fullmatch(value) or _PARAMETERS.fullmatch(value)
        # a padded token may be before `=`
        start = found[1] if found and not looks_secret(found[1].rstrip("= ")) else ""
        in_spec[name] = f"{_escaped(start)}${{{code}}}"
        return f"{start}{token}"

    def _body(self) -> tuple[Any, dict[str, Any]]:
        """The body in the spec, and in the example."""
        kind, body = self._request.body_kind, self._request.body
        match kind:
            case "json":
                in_spec, sent = self._tree(body, ("json",))
                return in_spec, {"json": sent}
            case "form":
                in_spec, sent = {}, {}
                for name, value in body:
                    text, wanted = self._value(("form", name), value)
                    if name in in_spec:
                        text = [*_as_list(in_spec[name]), text]
                        wanted = [*_as_list(sent[name]), wanted]
                    in_spec[name], sent[name] = text, wanted
                return in_spec, {"form": sent}
            case "text":
                in_spec, sent = self._text(body)
                return in_spec, {"text": sent}
        return None, {}

    def _text(self, body: str) -> tuple[str, str]:
        """Plain text or XML in the spec, and in the example."""
        found = pieces(body)
        if not found:
            return self._value(("text",), body)
        in_spec, sent, at = "", "", 0
        for index, piece in enumerate(found):
            before, raw = body[at : piece.start], body[piece.start : piece.end]
            text, value = self._value(("text", index, piece.name), piece.text)
            if text == _escaped(piece.text):
                text, value = _escaped(raw), raw
            else:
                text, value = _CODE.sub(r"${html(\1)}", text), html.escape(str(value))
            in_spec, sent, at = (
                f"{in_spec}{_escaped(before)}{text}",
                sent + before + value,
                piece.end,
            )
        return in_spec + _escaped(body[at:]), sent + body[at:]

    def _tree(self, tree: Any, where: Path) -> tuple[Any, Any]:
        """JSON in the spec, and in the example."""
        if where in self._proposals:
            return self._value(where, tree)
        if isinstance(tree, dict):
            in_spec, sent = {}, {}
            for key, each in tree.items():
                place = (*where, key)
                in_spec[self._key(place, key)], sent[key] = self._tree(each, place)
            return in_spec, sent
        pairs = [self._tree(each, (*where, index)) for index, each in enumerate(tree)]
        return [in_spec for in_spec, _ in pairs], [sent for _, sent in pairs]

    def _key(self, where: Path, key: str) -> str:
        """A key of JSON; it is optional if its setting may be empty."""
        proposal = self._proposals.get(where)
        is_optional = proposal is not None and proposal.is_optional
        return f"{key}?" if is_optional else key

    def _value(self, where: Path, value: Any) -> tuple[Any, Any]:
        """A value in the spec, and in the example."""
        proposal = self._proposals[where]
        if proposal.role is not Role.CONSTANT:
            self._explain(proposal.value.shown, _meaning(proposal), proposal.reason)
        match proposal.role:
            case Role.MESSAGE:
                return self._of_event("message", value)
            case Role.ID:
                return self._of_event("id", value)
            case Role.DETAILS:
                return self._of_event("details", value)
            case Role.TIME:
                code, self._event["time"] = time_code(value) or ("", 0)
                return f"${{{code}}}", value
            case Role.LEVEL:
                return self._of_level(proposal, value)
            case Role.SECRET:
                code, example = self._settings.secret(proposal.name, proposal.reason)
                if _SIGNATURE.search(proposal.value.key):
                    self._doubts.append(_SIGNED.format(proposal.value.shown))
                return _replaced(value, proposal.part, code, example)
            case Role.FIELD:
                is_kept = not (proposal.is_placeholder or looks_secret(str(value)))
                example = value if is_kept else f"example-{proposal.name}"
                code = self._settings.field(proposal.name, example, proposal.reason)
                return _replaced(value, proposal.part, code, example)
        return _constant(value), value

    def _of_event(self, key: str, value: str) -> tuple[str, str]:
        known = self._event.setdefault(key, value)
        # a second text with the same meaning but another value is sent as it is
        return (
            (f"${{event.{key}}}", value) if known == value else (_escaped(value), value)
        )

    def _of_level(self, proposal: Proposal, value: Any) -> tuple[str, Any]:
        scale = dict(
            zip(_LEVELS, scale_of(value, proposal.value.key) or (), strict=True)
        )
        if not self._level:
            named = [level for level in reversed(_LEVELS) if scale[level] == value]
            self._level = named[0] if named else "CRITICAL"
            self._event["level"] = self._level
        scale[self._level] = value
        name, number = proposal.name, 2
        while self._levels.get(name, scale) != scale:
            name = f"{proposal.name}_{number}"
            number += 1
        self._levels[name] = scale
        return f"${{level.{name}}}", value

    def _explain(self, place: str, meaning: str, why: str) -> None:
        self._reasons.append(f"{place}: {meaning} ({why})")

    # the text

    def _head(self) -> str:
        table = {"name": self._name, **self._handler}
        return toml_table("[handler]", table)

    def _level_tables(self) -> Iterator[str]:
        for name, scale in self._levels.items():
            table = toml_table(f"[level.{toml_key(name)}]", scale)
            yield f"# from the example; check the words that the service knows\n{table}"

    def _body_text(self, body: Any) -> str:
        kind = self._request.body_kind
        if not kind:
            return ""
        if isinstance(body, dict) and body:
            return toml_tree(("request", kind), body)
        return f"{kind} = {toml_text(body)}\n"

    def _test(self) -> str:
        table = {
            **self._settings.test_values(),
            "message": f"test {self._name} message",
        }
        return toml_table("[test]", table)

    def _example(self, want: Mapping[str, Any]) -> str:
        config = self._settings.examples(is_option=False)
        options = self._settings.examples(is_option=True)
        example: dict[str, Any] = {"name": "the curl example"}
        example |= {"config": config} if config else {}
        example |= {"options": options} if options else {}
        example |= {"event": self._event} if self._event else {}
        if _has_null(want):
            want = {key: each for key, each in want.items() if key != "json"} | {
                "text": _json(want["json"])
            }
        return toml_table("[[example]]", example) + toml_tree(("example", "want"), want)


def _meaning(proposal: Proposal) -> str:
    match proposal.role:
        case Role.MESSAGE | Role.ID | Role.DETAILS | Role.TIME:
            return f"event.{proposal.role.value}"
        case Role.LEVEL:
            return f"level.{proposal.name}"
        case Role.SECRET:
            return f"secret config.{proposal.name}"
        case Role.FIELD:
            return f"opt.{proposal.name}"
    return "sent as it is"


def _replaced(value: Any, part: str, code: str, example: Any) -> tuple[Any, Any]:
    """A value with a part of it, or all of it, taken from a setting."""
    if not part:
        return f"${{{code}}}", example
    parts = str(value).split(part)
    in_spec = f"${{{code}}}".join(map(_escaped, parts))
    return in_spec, str(example).join(parts)


def _constant(value: Any) -> Any:
    if value is None:
        return "${None}"
    if isinstance(value, list):
        return [_constant(each) for each in value]
    return _escaped(value) if isinstance(value, str) else value


def _escaped(text: str) -> str:
    return text.replace("${", "$${")


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _without_secrets(path: Sequence[address.Part]) -> str:
    """A path with example values in place of its secrets and variable parts."""
    values = [f"example-{each.name}" if each.kind else each.text for each in path]
    return "".join(f"/{quote(each, safe=_PATH_SAFE)}" for each in values)


def _has_null(tree: Any) -> bool:
    if isinstance(tree, dict):
        return any(_has_null(each) for each in tree.values())
    if isinstance(tree, list):
        return any(_has_null(each) for each in tree)
    return tree is None


def _json(tree: Any) -> str:
    return json.dumps(tree, ensure_ascii=False, separators=(",", ":"))


def _is_no_password(password: str, user: str) -> bool:
    """True if the user is an API key and the password only a placeholder."""
    word = password.lower()
    return word in _NO_PASSWORDS or (word in _PASSWORDS and looks_secret(user))
