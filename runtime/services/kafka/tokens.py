"""Tokens for OAUTHBEARER: a configured one, or tokens of a token service."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote_plus, urlencode

from runtime.errors import ConfigError, DeliveryError
from runtime.outbound.client import HttpClient, Request, Response
from runtime.outbound.idempotency import keyed
from runtime.secrets import redact
from runtime.services.expressions import basic_auth
from runtime.services.kafka.config import Config
from runtime.units import SECOND

# Source: golang.org/x/oauth2/endpoints, AzureAD
_AZURE = "https://login.microsoftonline.com/{}/oauth2/v2.0/token"
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class _Token(NamedTuple):
    """A token of a service.

    Attributes:
        text: the token.
        until_s: end of its use on the monotonic clock, in seconds; None if it has no
            end.
    """

    text: str
    until_s: float | None


def check(config: Config) -> None:
    """Check the settings of OAUTHBEARER.

    Raises:
        ConfigError: a setting is missing, or two settings conflict.

    Source: Kapacitor services/kafka, SASLAuth.Validate.
    """
    service = config.sasl_oauth_service.lower()
    if config.sasl_access_token:
        if service or config.sasl_oauth_token_url:
            raise ConfigError(
                "cannot set 'sasl-access-token' with 'sasl-oauth-service' and "
                "'sasl-oauth-token-url'"
            )
        return
    if not (config.sasl_oauth_client_id and config.sasl_oauth_client_secret):
        raise ConfigError(
            "OAUTHBEARER needs 'sasl-access-token', or 'sasl-oauth-client-id' and "
            "'sasl-oauth-client-secret' of a token service"
        )
    match service:
        case "" | "custom" | "auth0":
            name = "Auth0" if service == "auth0" else "custom service"
            if not config.sasl_oauth_token_url:
                raise ConfigError(f"'sasl-oauth-token-url' required for {name}")
            if service == "auth0" and not config.sasl_oauth_parameters.get("audience"):
                raise ConfigError("'audience' parameter is required for Auth0")
        case "azuread":
            if not config.sasl_oauth_tenant_id:
                raise ConfigError("'sasl-oauth-tenant-id' required for AzureAD")
            if config.sasl_oauth_token_url:
                raise ConfigError(
                    "'sasl-oauth-token-url' cannot be set for service "
                    f"{config.sasl_oauth_service}"
                )
        case _:
            raise ConfigError(
                f"service {config.sasl_oauth_service} not supported: use auth0, azuread "
                "or custom"
            )


class TokenService:
    """Requests tokens with a client's credentials, and uses each until it expires.

    Source: golang.org/x/oauth2/clientcredentials.
    """

    def __init__(
        self,
        config: Config,
        client: HttpClient,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Create the source of tokens.

        Args:
            config: the settings.
            client: sends the requests.
            monotonic: returns the time, in seconds.
        """
        self._config = config
        self._client = client
        self._monotonic = monotonic
        self._known: _Token | None = None
        # services take the client's credentials in the header, in the form, or in both
        self._in_header = config.sasl_oauth_service.lower() != "auth0"

    async def token(self) -> str:
        """A token that is valid for some time.

        Raises:
            DeliveryError: the service returns no token.
        """
        margin_s = self._config.sasl_oauth_token_expiry_margin / SECOND
        known = self._known
        if known is None or (
            known.until_s is not None and known.until_s - margin_s <= self._monotonic()
        ):
            self._known = known = await self._requested()
        return known.text

    async def _requested(self) -> _Token:
        response = await self._sent()
        if self._in_header and 400 <= response.status < 500 and response.status != 429:
            # as Go does: try the other place, and keep it if it works
            self._in_header = False
            response = await self._sent()
            self._in_header = not 200 <= response.status < 300
        found = response.json if isinstance(response.json, dict) else {}
        token = found.get("access_token")
        if not (200 <= response.status < 300 and isinstance(token, str) and token):
            raise self._refusal(response, found)
        lifetime_s = _seconds(found.get("expires_in"))
        return _Token(token, lifetime_s and self._monotonic() + lifetime_s)

    async def _sent(self) -> Response:
        config = self._config
        user = config.sasl_oauth_client_id
        password = config.sasl_oauth_client_secret.reveal()
        form = {"grant_type": "client_credentials"}
        if config.sasl_oauth_scopes:
            form["scope"] = " ".join(config.sasl_oauth_scopes)
        form |= config.sasl_oauth_parameters
        headers = _FORM
        if self._in_header:
            headers = _FORM | basic_auth(quote_plus(user), quote_plus(password))
        else:
            form |= {"client_id": user, "client_secret": password}
        request = Request("POST", self._url, headers, urlencode(form).encode())
        # without a key, as a token is not for a single delivery
        with keyed(""):
            return await self._client.send(request)

    @property
    def _url(self) -> str:
        config = self._config
        return config.sasl_oauth_token_url or _AZURE.format(
            quote_plus(config.sasl_oauth_tenant_id)
        )

    def _refusal(self, response: Response, found: Mapping[str, Any]) -> DeliveryError:
        """The error for an answer without a token.

        Source: RFC 6749, 5.2.
        """
        details = [found.get(each) for each in ("error", "error_description")]
        reason = ": ".join(each for each in details if isinstance(each, str) and each)
        text = f"token service: status {response.status}" + (reason and f": {reason}")
        secret = self._config.sasl_oauth_client_secret
        return response.error(redact(text, [secret]))


def _seconds(value: object) -> float | None:
    """The lifetime of a token; None if it has no end."""
    try:
        # some services send it as a string
        seconds = float(value) if isinstance(value, int | float | str) else 0.0
    except (ValueError, OverflowError):
        return None
    return seconds if 0 < seconds < float("inf") else None
