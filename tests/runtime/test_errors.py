"""The runtime's errors."""

from __future__ import annotations

import re

from runtime import errors


def depths() -> dict[str, int]:
    """The depth of each class in the tree that the module's docstring draws."""
    tree = (errors.__doc__ or "").partition("\n\n")[2].partition("\n\n")[0]
    found = re.findall(r"(?m)^((?:│   |    )*(?:[├└]── )?)(\w+)", tree)
    return {name: len(lead) // 4 for lead, name in found}


def test_the_tree_in_the_docstring_is_complete() -> None:
    classes = [
        each
        for each in vars(errors).values()
        if isinstance(each, type) and issubclass(each, errors.KapacitorError)
    ]
    # KapacitorError is the root: its own bases are Exception, BaseException, object
    assert depths() == {each.__name__: len(each.__mro__) - 4 for each in classes}
