"""Names of likely secrets, and placeholders of secrets."""

import pytest

from runtime.secrets import mappings
from runtime.secrets.names import has_placeholder, is_placeholder


@pytest.mark.parametrize(
    "text",
    [
        *("***", "****", "********", "<redacted>", "<REDACTED>", " <redacted> "),
        *("[REDACTED]", "[redacted]", "<secret>", "<hidden>", "(hidden)", "REDACTED"),
        *("{{redacted}}", "<< redacted >>", "[masked]", "•••••", "***REDACTED***"),
    ],
)
def test_what_other_programs_show_is_a_placeholder(text):
    assert is_placeholder(text)
    assert has_placeholder(f".token('{text}')")


@pytest.mark.parametrize(
    "text",
    [
        *("", "**", "secret", "hidden", "a***", "***b", "<token>", "redacted-1", "x"),
        *(None, True, 5, ["***"]),
    ],
)
def test_a_secret_is_none(text):
    assert not is_placeholder(text)


def test_a_placeholder_in_a_mapping_keeps_its_secret_or_is_unknown():
    sent = {"Authorization": "<redacted>", "X-Room": "<hidden>"}
    before = {"Authorization": "Bearer t", "X-Room": "r"}
    assert mappings.restored(sent, before) == {
        "Authorization": "Bearer t",
        "X-Room": "<hidden>",
    }
    assert list(mappings.unknown(sent)) == ["Authorization"]
