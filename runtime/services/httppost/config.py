"""Configuration of the endpoints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from runtime.errors import ConfigError
from runtime.golang.quoting import quote
from runtime.golang.templates import TemplateError
from runtime.outbound.headers import HeaderNameError, check_names
from runtime.secrets import NO_SECRET, Secret
from runtime.secrets.urls import hidden_url
from runtime.services.httppost.templates import GoTemplate, parsed
from runtime.services.urls import check_url


@dataclass(frozen=True, slots=True)
class BasicAuth:
    """Basic authentication at the endpoint; used if both fields are set.

    Attributes:
        username: the name.
        password: the password.
    """

    # shown in the API as a boolean
    IS_SECRET: ClassVar[bool] = True

    username: str = ""
    password: Secret = NO_SECRET

    def __bool__(self) -> bool:
        return bool(self.username and self.password)


NO_BASIC_AUTH = BasicAuth()


@dataclass(frozen=True, slots=True)
class Config:
    """One `[[httppost]]` table of the configuration file.

    Attributes:
        endpoint: its name.
        url: template of the URL, over the event.
        headers: headers of the requests.
        basic_auth: user name and password.
        alert_template: template of alert bodies; empty to post the event as JSON.
        alert_template_file: absolute path of a file with the alert template.
        row_template: template of the bodies of `httpPost` nodes.
        row_template_file: absolute path of a file with the row template.
    """

    element_key: ClassVar[str] = "endpoint"

    endpoint: str = ""
    url: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    basic_auth: BasicAuth = NO_BASIC_AUTH
    alert_template: str = ""
    alert_template_file: str = ""
    row_template: str = ""
    row_template_file: str = ""

    def validate(self) -> None:
        """Check the values.

        Raises:
            ConfigError: a value is missing or invalid.
        """
        if not self.endpoint:
            raise ConfigError("must specify endpoint name")
        if not self.url:
            raise ConfigError("must specify url")
        try:
            parsed(self.url, "url")
        except TemplateError as error:
            shown = quote(hidden_url(self.url))
            text = f"invalid URL template syntax {shown}: {error}"
            raise ConfigError(text) from None
        if "{{" not in self.url:
            check_url(self.url, f"invalid URL {quote(hidden_url(self.url))}")
        try:
            check_names(self.headers)
        except HeaderNameError as error:
            raise ConfigError(f"headers: {error}") from None
        _check("alert", self.alert_template, self.alert_template_file)
        _check("row", self.row_template, self.row_template_file)

    def body_template(self, kind: str) -> GoTemplate | None:
        """The template of bodies for `alert` or for `row`, if any.

        Raises:
            ConfigError: the template cannot be read, or does not parse.
        """
        source = getattr(self, f"{kind}_template")
        path = getattr(self, f"{kind}_template_file")
        problem = f"failed to get {kind}-template for endpoint {quote(self.endpoint)}"
        where = f" from file {quote(path)}" if path else ""
        try:
            if path:
                source = Path(path).read_text(encoding="utf-8")
            # as in Kapacitor, templates in files have no extra functions
            return parsed(source, "body", json=not path) if source else None
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise ConfigError(
                f"{problem}: failed to read template file {quote(path)}: {reason}"
            ) from error
        except TemplateError as error:
            raise ConfigError(
                f"{problem}: failed to parse template{where}: {error}"
            ) from error


def _check(kind: str, source: str, path: str) -> None:
    if source and path:
        name = f"{kind}-template"
        raise ConfigError(f"must specify only one of {name} and {name}-file")
    if path and not Path(path).is_absolute():
        raise ConfigError(f"must use an absolute path for {kind}-template-file")
