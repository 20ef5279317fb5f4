"""Tokens of a token service, which is a real server here."""

import asyncio
import base64

import pytest

from runtime.errors import ConfigError, DeliveryError
from runtime.outbound.client import AiohttpClient
from runtime.outbound.idempotency import keyed
from runtime.secrets import Secret
from runtime.services.kafka.config import Config
from runtime.services.kafka.tokens import TokenService, check
from runtime.testing.loopback import Answer
from runtime.units import SECOND, Duration

LIMIT_S = 30
SECRET = "s3cret of the client"


class Clock:
    now_s = 1000.0

    def __call__(self):
        return self.now_s


def config(**settings):
    usual = {
        "sasl_mechanism": "OAUTHBEARER",
        "sasl_oauth_client_id": "me:you",
        "sasl_oauth_client_secret": Secret(SECRET),
    }
    return Config(**{**usual, **settings})


def tokens(settings, *times_s):
    """A token at each time, or the error."""
    clock = Clock()

    async def main():
        client = AiohttpClient()
        service = TokenService(settings, client, clock)
        found = []
        for each in times_s:
            clock.now_s = each
            try:
                found.append(await service.token())
            except DeliveryError as error:
                found.append(error)
        await client.close()
        return found

    with keyed("of a delivery"):
        return asyncio.run(asyncio.wait_for(main(), LIMIT_S))


def token(text, **more):
    parts = [f'"{key}": {value}' for key, value in more.items()]
    return Answer(body="{" + ", ".join([f'"access_token": "{text}"', *parts]) + "}")


def test_a_token_of_a_custom_service(server):
    server.answers.append(token("t"))
    settings = config(
        sasl_oauth_token_url=server.url + "/token",
        sasl_oauth_scopes=("a", "b"),
        sasl_oauth_parameters={"audience": "me & you"},
    )
    assert tokens(settings, 0.0) == ["t"]
    request = server.next()
    assert (request.method, request.path) == ("POST", "/token")
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    pair = base64.b64encode(b"me%3Ayou:s3cret+of+the+client").decode()
    assert request.headers["Authorization"] == f"Basic {pair}"
    assert request.text == (
        "grant_type=client_credentials&scope=a+b&audience=me+%26+you"
    )
    assert "Idempotency-Key" not in request.headers


def test_auth0_takes_the_credentials_in_the_form(server):
    server.answers.append(token("t"))
    settings = config(
        sasl_oauth_service="Auth0",
        sasl_oauth_token_url=server.url,
        sasl_oauth_parameters={"audience": "kafka"},
    )
    assert tokens(settings, 0.0) == ["t"]
    request = server.next()
    assert "Authorization" not in request.headers
    assert request.text == (
        "grant_type=client_credentials&audience=kafka&client_id=me%3Ayou"
        "&client_secret=s3cret+of+the+client"
    )


def test_a_custom_service_may_want_the_credentials_in_the_form(server):
    refused = Answer(401, '{"error": "invalid_client"}')
    short = token("a", expires_in=1)
    server.answers.extend([refused, short, token("b", expires_in=1)])
    settings = config(sasl_oauth_token_url=server.url)
    assert tokens(settings, 0.0, 60.0) == ["a", "b"]
    requests = server.taken()
    assert ["client_id" in each.text for each in requests] == [False, True, True]


@pytest.mark.parametrize("lifetime", ["60", '"60"'])
def test_a_token_is_used_until_shortly_before_its_end(server, lifetime):
    server.answers.extend([token(each, expires_in=lifetime) for each in "abc"])
    settings = config(sasl_oauth_token_url=server.url)
    assert tokens(settings, 0.0, 49.0, 50.0, 99.0) == ["a", "a", "b", "b"]


def test_the_margin_is_configured(server):
    server.answers.extend([token(each, expires_in=60) for each in "ab"])
    margin = Duration(30 * SECOND)
    settings = config(
        sasl_oauth_token_url=server.url, sasl_oauth_token_expiry_margin=margin
    )
    assert tokens(settings, 0.0, 29.0, 31.0) == ["a", "a", "b"]


@pytest.mark.parametrize("lifetime", ["0", "null", "[]", '"soon"', '"inf"'])
def test_a_token_without_end_is_kept(server, lifetime):
    server.answers.append(token("a", expires_in=lifetime))
    settings = config(sasl_oauth_token_url=server.url)
    assert tokens(settings, 0.0, 1e9) == ["a", "a"]


@pytest.mark.parametrize(
    ("status", "body", "shown", "retry", "requests"),
    [
        (401, '{"error": "invalid_client"}', "401: invalid_client", False, 2),
        (
            400,
            f'{{"error": "x", "error_description": "no {SECRET}"}}',
            "400: x: no ***",
            False,
            2,
        ),
        (503, "<html>", "503", True, 1),
        (429, "{}", "429", True, 1),
        (200, '{"access_token": 7}', "200", False, 1),
        (200, "[]", "200", False, 1),
    ],
    ids=["client", "secret", "down", "too many", "number", "list"],
)
def test_a_service_that_gives_no_token(server, status, body, shown, retry, requests):
    server.status, server.body = status, body
    [error] = tokens(config(sasl_oauth_token_url=server.url), 0.0)
    assert str(error) == f"token service: status {shown}"
    assert error.retry is retry
    assert len(server.taken()) == requests


def test_a_service_that_does_not_answer(server):
    url = server.url
    server.refuse()
    [error] = tokens(config(sasl_oauth_token_url=url), 0.0)
    assert str(error).startswith(f'Post "{url}": dial tcp')
    assert error.retry


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (
            {"sasl_oauth_client_id": ""},
            "OAUTHBEARER needs 'sasl-access-token', or 'sasl-oauth-client-id' and "
            "'sasl-oauth-client-secret' of a token service",
        ),
        ({}, "'sasl-oauth-token-url' required for custom service"),
        (
            {"sasl_oauth_service": "auth0"},
            "'sasl-oauth-token-url' required for Auth0",
        ),
        (
            {"sasl_oauth_service": "auth0", "sasl_oauth_token_url": "http://h"},
            "'audience' parameter is required for Auth0",
        ),
        (
            {"sasl_oauth_service": "AzureAD"},
            "'sasl-oauth-tenant-id' required for AzureAD",
        ),
        (
            {
                "sasl_oauth_service": "azuread",
                "sasl_oauth_tenant_id": "t",
                "sasl_oauth_token_url": "http://h",
            },
            "'sasl-oauth-token-url' cannot be set for service azuread",
        ),
        (
            {"sasl_oauth_service": "okta"},
            "service okta not supported: use auth0, azuread or custom",
        ),
        (
            {"sasl_access_token": Secret("t"), "sasl_oauth_service": "auth0"},
            "cannot set 'sasl-access-token' with 'sasl-oauth-service' and "
            "'sasl-oauth-token-url'",
        ),
    ],
)
def test_settings_that_are_refused(settings, expected):
    with pytest.raises(ConfigError) as caught:
        check(config(**settings))
    assert str(caught.value).startswith(expected)


def test_settings_that_suffice():
    check(config(sasl_oauth_token_url="https://h/token"))
    check(config(sasl_oauth_service="azuread", sasl_oauth_tenant_id="t"))
    check(Config(sasl_mechanism="OAUTHBEARER", sasl_access_token=Secret("t")))


def test_the_address_of_azure():
    settings = config(sasl_oauth_service="azuread", sasl_oauth_tenant_id="a/b")
    assert TokenService(settings, AiohttpClient())._url == (
        "https://login.microsoftonline.com/a%2Fb/oauth2/v2.0/token"
    )
