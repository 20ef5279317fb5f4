import pytest

from runtime.services.alert.json_patch import PatchError, apply

# the examples of RFC 6902, appendix A
DOCUMENT = {"a": {"b": 1, "c/d": 2}, "list": [1, 2]}


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        ({"op": "add", "path": "/a/e", "value": 3}, {"a": {"b": 1, "c/d": 2, "e": 3}}),
        ({"op": "add", "path": "/list/1", "value": 9}, {"list": [1, 9, 2]}),
        ({"op": "add", "path": "/list/-", "value": 9}, {"list": [1, 2, 9]}),
        ({"op": "remove", "path": "/a/c~1d"}, {"a": {"b": 1}}),
        ({"op": "remove", "path": "/list/0"}, {"list": [2]}),
        (
            {"op": "replace", "path": "/a/b", "value": None},
            {"a": {"b": None, "c/d": 2}},
        ),
        (
            {"op": "move", "from": "/list/0", "path": "/a/b"},
            {"a": {"b": 1, "c/d": 2}, "list": [2]},
        ),
        ({"op": "copy", "from": "/a/b", "path": "/list/0"}, {"list": [1, 1, 2]}),
        ({"op": "test", "path": "/list/1", "value": 2}, {}),
    ],
)
def test_operations_of_the_standard(operation, expected):
    assert apply([operation], DOCUMENT) == DOCUMENT | expected


def test_the_document_itself_stays():
    apply([{"op": "remove", "path": "/a"}], DOCUMENT)
    assert "a" in DOCUMENT


def test_a_patch_may_replace_the_whole_document():
    assert apply([{"op": "add", "path": "", "value": [1]}], DOCUMENT) == [1]


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "add", "path": "/list/3", "value": 1},
        {"op": "add", "path": "/nope/x", "value": 1},
        {"op": "remove", "path": "/list/2"},
        {"op": "replace", "path": "/nope", "value": 1},
        {"op": "move", "from": "/nope", "path": "/a"},
        {"op": "copy", "from": "/nope", "path": "/a"},
        {"op": "test", "path": "/a/b", "value": 2},
        {"op": "add"},
        {"op": "add", "path": "a", "value": 1},
        "text",
    ],
)
def test_operations_that_do_not_fit(operation):
    with pytest.raises(PatchError):
        apply([operation], DOCUMENT)


@pytest.mark.parametrize(
    ("operation", "text"),
    [
        ({"op": "add", "path": "/no/x"}, 'add … doc is missing path: "/no/x"'),
        ({"op": "remove", "path": "/no/x"}, 'remove … doc is missing path: "/no/x"'),
        ({"op": "replace", "path": "/no/x"}, "replace … doc is missing path: /no/x"),
        ({"op": "replace", "path": "/no"}, "replace … doc is missing key: /no"),
        (
            {"op": "move", "from": "/no/x", "path": "/a"},
            "move … doc is missing from path: /no/x",
        ),
        (
            {"op": "copy", "from": "/no/x", "path": "/a"},
            "copy … doc is missing from path: /no/x",
        ),
        (
            {"op": "move", "from": "/a/b", "path": "/no/x"},
            "move … doc is missing destination path: /no/x",
        ),
        (
            {"op": "copy", "from": "/a/b", "path": "/no/x"},
            "copy … doc is missing destination path: /no/x",
        ),
        ({"op": "test", "path": "/no/x", "value": 1}, "test … is missing path: /no/x"),
    ],
)
def test_a_missing_path_is_named_as_the_library_does(operation, text):
    with pytest.raises(PatchError) as caught:
        apply([operation], DOCUMENT)
    shown = text.replace("…", "operation does not apply:")
    assert str(caught.value) == f"{shown}: missing value"


@pytest.mark.parametrize("op", [[], {}, ["add"], 5, None, True], ids=str)
def test_a_kind_that_is_not_a_string_is_unknown(op):
    with pytest.raises(PatchError, match=r"^Unexpected kind: unknown$"):
        apply([{"op": op, "path": "/a"}], DOCUMENT)
