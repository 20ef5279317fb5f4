"""What the process that server processes are forked from loads once.

Everything that each start would import again is here, and what is loaded is kept out of the
garbage collector's way: each start collects once, and would copy all of these pages.
"""

import encodings.idna
import gc
import importlib.metadata

import uvloop

import runtime.integrations.bundled
import runtime.server.__main__
import runtime.server.process
import runtime.server.server

__all__ = ["encodings", "importlib", "runtime", "uvloop"]

gc.collect()
gc.freeze()
