"""What the code of integrations calls to make requests and read answers."""

from __future__ import annotations

from runtime.http_client import Response


def error_text(response: Response, key: str, title: str) -> str:
    """The text under `key` of the answer's JSON, or else what the answer looks like.

    Args:
        response: an answer that means failure.
        key: where the endpoint puts its error text.
        title: how the endpoint is called.
    """
    reply = response.json
    text = reply.get(key) if isinstance(reply, dict) else None
    if isinstance(text, str):
        return text
    return (
        f"failed to understand {title} response. "
        f"code: {response.status} content: {response.text}"
    )
