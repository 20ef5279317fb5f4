"""The codes of findings: name, severity, and the texts of `scaffold explain`.

docs/findings.md is generated from the same texts.
"""

from __future__ import annotations

from typing import NamedTuple


class Code(NamedTuple):
    """One kind of finding.

    Attributes:
        name: short name, for people.
        meaning: the state that `check` found.
        example: a way to get there.
        remedy: the way out.
        is_informational: true for a person's own choice, which needs no repair.
        exit_code: exit code of `check`; the greatest of all findings counts.
    """

    name: str
    meaning: str
    example: str
    remedy: str
    is_informational: bool = False
    exit_code: int = 1

    @property
    def severity(self) -> str:
        """`info` or `error`."""
        return "info" if self.is_informational else "error"


CODES = {
    "SC101": Code(
        "registration-missing",
        "An entry of the handler, or the table that holds it, is missing from a shared "
        "file. Without the entry the runtime does not know the handler, or knows only a "
        "part of it.",
        "A merge took one side of `integrations/services.py`, and the line of `huddle` "
        "was lost.",
        "`scaffold regenerate NAME` adds the entry again. If the table itself is missing "
        "and cannot be added, `check` prints the text to paste.",
    ),
    "SC102": Code(
        "registration-duplicated",
        "An entry of the handler occurs more than once in the same place of a shared file.",
        'Two branches each added the line `"huddle",` to the list of kinds, and git kept '
        "both.",
        "`scaffold regenerate NAME` removes copies with the generated text. If copies were "
        "edited in different ways, remove all but one by hand.",
    ),
    "SC103": Code(
        "registration-edited",
        "An entry of the handler in a shared file differs from its generated text. It is "
        "up to date otherwise.",
        'The value of an entry was wrapped: `"huddle": traced(HuddleService),`.',
        "Nothing: the edit is yours and is kept. `scaffold diff NAME` shows it.",
        is_informational=True,
    ),
    "SC104": Code(
        "file-missing",
        "A generated file of the handler, or a shared file, does not exist.",
        "`docs/handlers/huddle.md` was deleted.",
        "`scaffold regenerate NAME` creates it again.",
    ),
    "SC105": Code(
        "file-edited",
        "A generated file differs from its generated text. It is up to date otherwise.",
        "A method was added to `services/huddle/service.py`.",
        "Nothing: the edit is yours and is kept, also when the file is regenerated. "
        "`scaffold diff NAME` shows it.",
        is_informational=True,
    ),
    "SC106": Code(
        "template-changed",
        "The templates now render another text than when the file or the entry was "
        "generated. The spec has not changed.",
        "scaffold was upgraded, or the project changed a template of its own.",
        "`scaffold regenerate NAME` writes the new text and keeps your edits.",
    ),
    "SC107": Code(
        "spec-changed",
        "The handler's `handler.toml` changed after its code was generated.",
        "An option was added to `services/huddle/handler.toml`.",
        "`scaffold regenerate NAME` brings the handler up to date and keeps your edits.",
    ),
    "SC108": Code(
        "leftover",
        "Files or entries remain of a handler whose `handler.toml` was removed, or of an "
        "earlier version of its spec.",
        "The folder `services/huddle` was deleted, and the entries in the shared files "
        "are still there.",
        "`scaffold remove-handler NAME` removes the rest of a removed handler, and "
        "`scaffold regenerate NAME` the rest of an earlier spec. Edited files stay, and so do "
        "edited entries that need the handler, unless `--discard-edits` is given.",
    ),
    "SC109": Code(
        "record-missing",
        "The record of the generated text of a handler, under `.scaffold/handlers/`, does "
        "not exist. Without it, edits cannot be distinguished from outdated output.",
        "`.scaffold/` was not committed.",
        "Restore it from version control, or run `scaffold adopt NAME`. It recreates the "
        "record from the spec and the templates; text in the tree that differs counts as "
        "edited.",
    ),
    "SC110": Code(
        "conflict",
        "A file or an entry was edited by hand, and the edit contradicts the generated "
        "text. Or something else already has the name of the file or the entry.",
        "A function of `service.py` was changed by hand, and a new template changes the "
        "same lines.",
        "Run the command that `check` prints; it names the choices.",
    ),
    "SC111": Code(
        "documentation-missing",
        "A place in the documentation where the handler would be listed is missing. The "
        "handler works without it.",
        "`CHANGELOG.md` has no heading that begins with `Unreleased`.",
        "Add the place, or list the file under `skip` in `[tool.scaffold]` of "
        "`pyproject.toml`.",
        is_informational=True,
    ),
    "SC112": Code(
        "file-unusable",
        "A shared file is missing, or cannot be read or patched: invalid Python, not "
        "UTF-8, a symbolic link.",
        "A parenthesis is missing in `integrations/kinds.py`.",
        "Correct the file, then run `scaffold check` again.",
    ),
    "SC113": Code(
        "conflict-markers",
        "A merge left conflict markers in a file.",
        "`git merge` stopped with a conflict in `integrations/kinds.py`.",
        "Resolve the conflict, or take either side and register everything again with "
        "the commands that `check` prints.",
    ),
    "SC114": Code(
        "project-outdated",
        "An older scaffold created the project, and lines that `scaffold init` writes "
        "today are missing.",
        "`[tool.scaffold] format` is lower than the format that this version writes.",
        "`scaffold regenerate --all` upgrades the project.",
    ),
    "SC115": Code(
        "spec-invalid",
        "A handler's `handler.toml` is invalid. The handler is not checked; all others "
        "are.",
        '`room = { type = "strr" }`.',
        "Correct the line that the finding names. `scaffold schema` prints the schema of "
        "specs, for editors.",
        exit_code=2,
    ),
    "SC116": Code(
        "record-damaged",
        "The record of the generated text of a handler cannot be read, or a newer version "
        "of scaffold wrote it. The handler is not checked; all others are.",
        "A tool rewrote `.scaffold/handlers/huddle/generated`.",
        "Restore it from version control, or run the command that `check` prints.",
        exit_code=5,
    ),
    "SC117": Code(
        "override-outdated",
        "A template of the project overrides one of scaffold, and scaffold's changed "
        "since it was copied, or the record of the copied text is missing.",
        "scaffold was upgraded, and its `create/docs/handlers/KIND.md.j2` changed. The "
        "project's `templates/create/docs/handlers/KIND.md.j2` lacks that change.",
        "`scaffold override TEMPLATE` merges the change into the project's template and "
        "keeps your edits. It also creates a missing record.",
    ),
    "SC118": Code(
        "override-unusable",
        "A template of the project cannot be rendered, or its output is not Python. "
        "The handlers that use it are not checked any further.",
        "`{% endif %}` is missing in `templates/create/docs/handlers/KIND.md.j2`, or it "
        "calls a method, which the sandbox refuses.",
        "Correct the line that the finding names, then run `scaffold check` again.",
        exit_code=5,
    ),
    "SC119": Code(
        "override-unknown",
        "A template of the project has a name that no template of scaffold has, so it is "
        "not used.",
        "`templates/create/docs/handlers/KIND.md.j2` is called `page.md.j2`.",
        "Rename it, or remove it. `scaffold override` lists the names.",
        is_informational=True,
    ),
}
"""Every code, with its texts."""
