"""Definitions in files, with any other files beside them."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from runtime.tasks.load.definitions import definitions

SCRIPT = "stream|from()|log()"
HANDLER = "topic: t\nid: good\nkind: log\n"
contents = st.one_of(
    st.binary(max_size=60),
    st.text(max_size=60).map(lambda text: text.encode("utf-8", "replace")),
    st.sampled_from(
        [b"template-id: t", b"topic: t\nid: good\nkind: k", b"id: [", b"- 1", b"{}"]
    ),
)
names = st.tuples(
    st.sampled_from(["templates", "tasks", "handlers"]),
    st.one_of(
        st.sampled_from([b"good", b"zz", b"a b", b"..", b".hidden", b"\xff"]),
        st.binary(min_size=1, max_size=8).filter(
            lambda name: not set(name) & {0, ord("/")}
        ),
    ),
    st.sampled_from([b".tick", b".yaml", b".yml", b".json", b".txt", b""]),
)


@given(st.lists(st.tuples(names, contents), max_size=8))
def test_a_good_file_is_found_whatever_lies_beside_it(
    others: list[tuple[tuple[str, bytes, bytes], bytes]],
) -> None:
    with tempfile.TemporaryDirectory() as root:
        directory = Path(root)
        for kind in ("templates", "tasks", "handlers"):
            (directory / kind).mkdir()
        for (kind, stem, suffix), content in others:
            path = Path(
                os.fsdecode(os.fsencode(directory / kind) + b"/" + stem + suffix)
            )
            # names such as ".." are taken
            with contextlib.suppress(OSError):
                path.write_bytes(content)
        (directory / "tasks/first.tick").write_text(SCRIPT)
        (directory / "templates/first.tick").write_text(SCRIPT)
        # a name that stands before all others
        (directory / "handlers" / "\x01.yaml").write_text(HANDLER)
        faults: dict[str, str] = {}
        found = definitions(directory, faults.__setitem__)
        keys = {"tasks/first", "templates/first", "handlers/t/good"}
        assert keys <= found.keys
        assert not {"tasks/first.tick", "templates/first.tick"} & faults.keys()
        assert all(faults.values())
        every = (*found.templates, *found.tasks, *found.handlers)
        assert len(found.keys) == len(every)
        # the same files say the same
        again = definitions(directory, lambda file, reason: None)
        assert [each.digest for each in every] == [
            each.digest for each in (*again.templates, *again.tasks, *again.handlers)
        ]
