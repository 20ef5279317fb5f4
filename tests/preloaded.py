"""The modules that a server needs to start, loaded once for all forked test servers.

They are hidden from the garbage collector. Otherwise each server would copy their memory,
as it runs the collector once when it starts.
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
