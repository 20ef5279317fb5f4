"""The operating system at work: `posix`, or `windows` where its calls do not exist.

Both modules have the same names with the same meaning, so no other module asks for the
system: `Place`, a folder in which operations follow no link; `opened`; locks; the user's
own folders; signals. Use them as `platform.system.NAME`.
"""

TYPE_CHECKING = False  # as in `typing`, which costs as much as half of Python's start
if TYPE_CHECKING:
    from scaffold.disk import posix as system
else:
    try:
        from scaffold.disk import posix as system
    except ImportError:  # no `fcntl`
        from scaffold.disk import windows as system

__all__ = ["system"]
