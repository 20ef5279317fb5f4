"""Reads a curl command as curl does: the request that it sends."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, unquote_plus, urlsplit

from scaffold import names
from scaffold.errors import UsageError
from scaffold.escaping import escaped
from scaffold.inference.placeholders import placeholder
from scaffold.inference.secrets import secrets_of
from scaffold.inference.shell import split

_FORM = "application/x-www-form-urlencoded"
# options by their effect; short forms follow the bar of a pair
_WITHOUT_ARGUMENT = names.words("""
    -s --silent -S --show-error -i --include --show-headers -v --verbose -f --fail
    --fail-with-body -L --location --location-trusted --compressed -# --progress-bar
    -N --no-buffer --http1.0 -0 --http1.1 --http2 --http2-prior-knowledge --http3 -4
    --ipv4 -6 --ipv6 --tlsv1 --tlsv1.0 --tlsv1.1 --tlsv1.2 --tlsv1.3 -1 --ssl-no-revoke
    --globoff -g --path-as-is --basic --no-progress-meter -j --junk-session-cookies
    --create-dirs -O --remote-name -J --remote-header-name -R --raw --tcp-nodelay
    --no-keepalive --disable -q --styled-output --no-alpn --fail-early -a --append
    --anyauth --ssl --ssl-reqd --ssl-revoke-best-effort --no-sessionid --tcp-fastopen
    --http0.9 --http3-only --post301 --post302 --post303 --retry-connrefused
    --retry-all-errors --trace-time --no-clobber --remove-on-error --remote-time
    --remote-name-all --ignore-content-length --suppress-connect-headers -B --use-ascii
    """)
_WITH_ARGUMENT = names.words("""
    -o --output -w --write-out -D --dump-header -c --cookie-jar --retry --retry-delay
    --retry-max-time --connect-to --resolve --interface --limit-rate --trace
    --trace-ascii --stderr -K --config --ciphers --max-redirs --keepalive-time --rate
    --create-file-mode --local-port --dns-servers --max-filesize --tls-max
    --tls13-ciphers --curves --noproxy --proto --proto-default --proto-redir -y
    --speed-time -Y --speed-limit --output-dir --expect100-timeout --doh-url
    --happy-eyeballs-timeout-ms --cert-type --key-type --pass -U --proxy-user
    """)
_READ = {
    "-X": "--request", "-H": "--header", "-d": "--data", "-F": "--form",
    "-u": "--user", "-G": "--get", "-A": "--user-agent", "-e": "--referer",
    "-b": "--cookie", "-k": "--insecure", "-I": "--head", "-m": "--max-time",
    "-x": "--proxy", "-T": "--upload-file", "-E": "--cert", "--data-ascii": "--data",
}  # fmt: skip
_FLAGS = frozenset(("--get", "--insecure", "--head"))
_VALUED = frozenset((
    "--request", "--header", "--data", "--data-raw", "--data-binary", "--data-urlencode",
    "--json", "--form", "--form-string", "--user", "--user-agent", "--referer", "--cookie", "--url",
    "--url-query", "--oauth2-bearer", "--max-time", "--connect-timeout", "--proxy",
    "--upload-file", "--cacert", "--cert", "--key", "--aws-sigv4",
))  # fmt: skip
_OF_CONNECTION = {
    "--insecure": "does not check the certificate of the server",
    "--proxy": "uses a proxy",
    "--cacert": "trusts a certificate authority of its own",
    "--cert": "sends a certificate",
    "--key": "sends a certificate",
    "--max-time": "has a time limit",
    "--connect-timeout": "has a time limit",
}
_METHODS = ("POST", "PUT", "PATCH", "GET", "DELETE")


@dataclass(frozen=True)
class CurlRequest:
    """The request of a curl command.

    Attributes:
        url: URL without query and fragment.
        method: `POST`, …
        query: parameters, in their order.
        headers: headers by name, without those that curl adds or that follow from the body.
        body_kind: `json`, `form`, `text` or "".
        body: content: any JSON, a list of pairs, or a string.
        user: user name and password, or None.
        notes: parts of the example that the handler leaves out.
    """

    url: str
    method: str = "GET"
    query: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    body_kind: str = ""
    body: Any = None
    user: tuple[str, str] | None = None
    notes: tuple[str, ...] = ()


@dataclass
class _Options:
    """The options of a command, collected in their order."""

    urls: list[str] = field(default_factory=list)
    method: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)
    data: list[str] = field(default_factory=list)
    form: list[tuple[str, str]] = field(default_factory=list)
    queries: list[str] = field(default_factory=list)
    user: str | None = None
    bearer: str | None = None
    is_json: bool = False
    is_get: bool = False
    is_encoded: bool = False
    notes: list[str] = field(default_factory=list)


def request(text: str) -> CurlRequest:
    """The request that a curl command sends.

    Raises:
        UsageError: it is not a curl command, or a spec cannot describe its request.
    """
    line = split(text)
    if not line.words:
        raise UsageError("the curl example is empty")
    program, *arguments = line.words
    name = program.replace("\\", "/").rpartition("/")[2].removesuffix(".exe")
    if name != "curl":
        # no error repeats a part of the example, which may be a secret
        raise UsageError("the example does not begin with curl")
    options = _Options(notes=line.notes)
    _read(options, arguments, line.document)
    return _request(options)


def _read(options: _Options, arguments: Sequence[str], document: str | None) -> None:
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        if word == "--":
            options.urls += rest
            return
        if not word.startswith("-") or word == "-":
            options.urls.append(word)
        elif word.startswith("--"):
            _read_long(options, word, rest, document)
        else:
            _read_short(options, word, rest, document)


def _read_long(
    options: _Options, word: str, rest: list[str], document: str | None
) -> None:
    name, equals, value = word.partition("=")
    name = _READ.get(name, name)
    switch = f"--{name.removeprefix('--no-')}" if name.startswith("--no-") else name
    if name in _WITHOUT_ARGUMENT or switch in _WITHOUT_ARGUMENT:
        return
    if name in _FLAGS:
        _apply(options, name, "", document)
    elif name in _VALUED or name in _WITH_ARGUMENT:
        argument = value if equals else _argument(name, rest)
        if name in _VALUED:
            _apply(options, name, argument, document)
    else:
        known = {*_FLAGS, *_VALUED, *_WITH_ARGUMENT, *_WITHOUT_ARGUMENT}
        raise _unknown(name, known)


def _read_short(
    options: _Options, word: str, rest: list[str], document: str | None
) -> None:
    """`-sSXPOST`: flags without an argument, and at last one with it."""
    for index, letter in enumerate(word[1:], 1):
        short = f"-{letter}"
        name = _READ.get(short, short)
        if name in _FLAGS:
            _apply(options, name, "", document)
        elif name in _VALUED or name in _WITH_ARGUMENT:
            glued = word[index + 1 :]
            argument = glued or _argument(short, rest)
            if name in _VALUED:
                _apply(options, name, argument, document)
            return
        elif name not in _WITHOUT_ARGUMENT:
            raise _unknown(short, ())


def _unknown(name: str, known: Sequence[str] | set[str]) -> UsageError:
    if name in ("--next", "-:"):
        return UsageError("the example sends several requests, with --next; give one")
    guess = names.closest(name, known)
    hint = f" (did you mean {guess}?)" if guess else ""
    return UsageError(f"{escaped(name)!r} is not known as an option of curl{hint}")


def _argument(name: str, rest: list[str]) -> str:
    if not rest:
        raise UsageError(f"the curl example ends after {name}, which needs a value")
    return rest.pop(0)


def _apply(options: _Options, name: str, value: str, document: str | None) -> None:
    """Note one option."""
    match name:
        case "--url":
            options.urls.append(value)
        case "--request":
            options.method = value.upper()
        case "--header":
            _add_header(options, value)
        case "--user-agent":
            pass  # it names the program that sends
        case "--referer":
            _add_header(options, f"Referer:{value.partition(';auto')[0]}")
        case "--cookie":
            _add_cookie(options, value)
        case "--user":
            options.user = value
        case "--oauth2-bearer":
            options.bearer = value
        case "--get":
            options.is_get = True
        case "--head":
            raise UsageError("the example sends HEAD, which delivers nothing")
        case "--url-query":
            is_encoded = value.startswith("+")
            options.queries.append(value[1:] if is_encoded else _encoded(value, None))
        case "--json":
            options.is_json = True
            # unlike the others, it continues the data before it without an &
            before = options.data.pop() if options.data else ""
            options.data.append(before + _content(value, document))
        case "--data" if value == "@-" and document is not None:
            # curl takes line breaks out of files, except for --data-binary
            options.data.append(document.replace("\r", "").replace("\n", ""))
        case "--data" | "--data-binary":
            options.data.append(_content(value, document))
        case "--data-raw":
            options.data.append(value)
        case "--data-urlencode":
            options.is_encoded = True
            options.data.append(_encoded(value, document))
        case "--form":
            options.form.append(_part(value))
        case "--form-string":
            part, _, content = value.partition("=")
            options.form.append((part, content))
        case "--upload-file" | "--aws-sigv4":
            raise UsageError(f"{name} is not possible in a spec")
        case _:
            effect = _OF_CONNECTION[name]
            options.notes.append(f"not in the spec: the example {effect} ({name})")


def _add_header(options: _Options, text: str) -> None:
    name, colon, value = text.partition(":")
    if not colon and name.endswith(";"):
        options.headers.append((name.rstrip(";").strip(), ""))
    # `-H 'Expect:'` removes a header
    elif value.strip():
        options.headers.append((name.strip(), value.strip()))


def _add_cookie(options: _Options, text: str) -> None:
    """Cookies; a word without `=` is the name of a file with cookies."""
    if "=" in text or placeholder(text):
        options.headers.append(("Cookie", text))
    elif text:
        options.notes.append("not in the spec: the example has cookies in a file (-b)")


def _content(value: str, document: str | None) -> str:
    """The data of an option; files are not there."""
    if not value.startswith("@"):
        return value
    if value == "@-" and document is not None:
        return document
    shown = escaped(value)
    raise UsageError(
        f"the data is in a file, {shown}: put its content into the command, "
        "as --data-raw '…'"
    )


def _encoded(value: str, document: str | None) -> str:
    """`NAME=CONTENT` or `NAME@FILE` with its content encoded, as --data-urlencode does."""
    name, equals, content = value.partition("=")
    if not equals:
        name, at, path = value.partition("@")
        content = _content(f"@{path}", document) if at else value
        name = name if at else ""
    return f"{name}={quote(content, safe='')}" if name else quote(content, safe="")


def _part(value: str) -> tuple[str, str]:
    """One part of a form with several parts; a file is refused."""
    name, _, content = value.partition("=")
    is_placeholder = content.startswith("<") and content.endswith(">")
    if content.startswith(("@", "<")) and not is_placeholder:
        raise UsageError(
            f"the example uploads a file in {escaped(name)!r}, which a spec cannot describe; "
            "remove this part if the service does without it"
        )
    return name, content.partition(";type=")[0].strip('"')


def _request(options: _Options) -> CurlRequest:
    made = _addressed(options)
    made = _with_body(made, options)
    has_data = bool(options.data or options.form) and not options.is_get
    method = options.method or ("POST" if has_data else "GET")
    if method not in _METHODS:
        allowed = ", ".join(_METHODS)
        raise UsageError(f"unknown method {escaped(method)!r} (allowed: {allowed})")
    if method == "GET" and made.body_kind:
        raise UsageError(
            "the example sends GET with a body, which a spec cannot describe"
        )
    return replace(made, method=method, notes=tuple(options.notes))


def _addressed(options: _Options) -> CurlRequest:
    """URL, query, headers and user, without the body."""
    if not options.urls:
        raise UsageError("the curl example has no URL")
    if len(options.urls) > 1:
        raise UsageError(
            "the curl example has a second URL or a stray word; put quotes around "
            "values with spaces, such as headers"
        )
    [text] = options.urls
    if "://" not in text:
        text = f"http://{text}"
    try:
        parts = urlsplit(text)
        host = parts.netloc.rpartition("@")[2]
    except ValueError as error:
        raise UsageError(f"the URL of the example is not one: {error}") from None
    if parts.scheme.lower() not in ("http", "https") or not host:
        raise UsageError(
            "the URL of the example does not begin with http:// or https://"
        )
    user = options.user
    if user is None and "@" in parts.netloc:
        user = unquote(parts.netloc.rpartition("@")[0])
    queries = [parts.query, *options.queries, *(options.data if options.is_get else [])]
    query = [pair for each in queries for pair in _pairs(each)]
    _note_bare(options, queries)
    headers, of_headers = _without_basic(_joined(options.headers))
    pair = of_headers
    # a header of the example's own replaces the one that an option makes
    if not any(name.lower() == "authorization" for name, _ in options.headers):
        pair = _user(user) if user is not None else None
        if options.bearer is not None:
            pair = None
            headers.insert(0, ("Authorization", f"Bearer {options.bearer}"))
    url = f"{parts.scheme}://{host}{parts.path}"
    return CurlRequest(url, query=tuple(query), headers=tuple(headers), user=pair)


def _note_bare(options: _Options, texts: Sequence[str]) -> None:
    """Note that a parameter without `=` gets one; refuse it if it may be a secret."""
    parameters = [each for text in texts for each in text.split("&") if each]
    bare = [each for each in parameters if "=" not in each]
    if any(secrets_of(unquote_plus(each)) for each in bare):
        raise UsageError(
            "a parameter of the example has no name and looks like a secret, which a "
            "spec cannot configure; give it a name, NAME=VALUE"
        )
    if bare:
        options.notes.append(
            "the example sends a parameter as NAME, the handler as NAME=, which most "
            "services read alike"
        )


def _user(text: str) -> tuple[str, str]:
    name, _, password = text.partition(":")
    return name, password


def _joined(headers: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The headers, with one line for those that are repeated."""
    lines: dict[str, tuple[str, list[str]]] = {}
    for name, value in headers:
        lines.setdefault(name.lower(), (name, []))[1].append(value)
    return [
        (name, ("; " if key == "cookie" else ", ").join(values))
        for key, (name, values) in lines.items()
    ]


def _without_basic(
    headers: Sequence[tuple[str, str]],
) -> tuple[list[tuple[str, str]], tuple[str, str] | None]:
    """The headers without basic authentication, and its user and password."""
    kept, user = [], None
    for name, value in headers:
        scheme, _, token = value.partition(" ")
        if name.lower() == "authorization" and scheme.lower() == "basic":
            user = _user(_decoded(token.strip()))
        else:
            kept.append((name, value))
    return kept, user


def _decoded(token: str) -> str:
    """User and password of a token; a placeholder stands for both."""
    try:
        text = base64.b64decode(token, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return "YOUR_USER:YOUR_PASSWORD"
    return text if ":" in text else "YOUR_USER:YOUR_PASSWORD"


def _with_body(made: CurlRequest, options: _Options) -> CurlRequest:
    content_type, headers = _content_type(made.headers)
    if options.is_json:
        content_type = content_type or "application/json"
        own = ("accept", "application/json")
        headers = [each for each in headers if (each[0].lower(), each[1]) != own]
    made = replace(made, headers=tuple(headers))
    if options.form:
        options.notes.append(
            "the example sends its form as multipart/form-data, the handler as "
            f"{_FORM}, which most services take as well"
        )
        return replace(made, body_kind="form", body=list(options.form))
    if not options.data or options.is_get:
        return made
    text = "&".join(options.data)
    if options.is_encoded and "=" not in text and content_type in ("", _FORM):
        raise UsageError(
            "the data is one string without a name, which --data-urlencode encodes; "
            "give it a name, NAME=TEXT, or send it as it is with --data-raw"
        )
    kind, body = _body(text, options.data, content_type)
    if kind == "form":
        _note_bare(options, options.data)
    sent = {"json": "application/json", "form": _FORM, "text": "text/plain"}[kind]
    plain = content_type.partition(";")[0].strip().lower()
    if plain and plain != sent:
        own = ("Content-Type", content_type)
        made = replace(made, headers=(own, *made.headers))
    return replace(made, body_kind=kind, body=body)


def _content_type(
    headers: Sequence[tuple[str, str]],
) -> tuple[str, list[tuple[str, str]]]:
    """The content type, and the headers that the handler has to send itself."""
    found, kept = "", []
    for name, value in headers:
        match name.lower():
            case "content-type":
                found = value
            case "content-length" | "host" | "user-agent" | "expect" | "connection":
                pass
            case _:
                kept.append((name, value))
    return found, kept


def _body(text: str, pieces: Sequence[str], content_type: str) -> tuple[str, Any]:
    """The kind of a body, and its content."""
    stripped = text.strip()
    if "json" in content_type or stripped.startswith(("{", "[")):
        return "json", _json(stripped)
    is_form = "=" in text and not stripped.startswith("<")
    # without a content type curl sends a form
    if _FORM in content_type or (not content_type and is_form):
        return "form", [pair for each in pieces for pair in _pairs(each)]
    return "text", text


def _pairs(text: str) -> list[tuple[str, str]]:
    return parse_qsl(text.strip(), keep_blank_values=True)


def _json(text: str) -> Any:
    try:
        # pages break the lines of long strings
        return json.loads(text, strict=False)
    except RecursionError:
        raise UsageError("the JSON of the example is nested too deep") from None
    except ValueError as error:
        reason = getattr(error, "msg", str(error))
        line, column = (getattr(error, each, 1) for each in ("lineno", "colno"))
        raise UsageError(
            f"the data of the example is not JSON: {reason} (line {line}, "
            f"column {column} of the data)"
        ) from None
