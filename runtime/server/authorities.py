"""Certificate authorities: without the system's list, HTTPS cannot work."""

from __future__ import annotations

import contextlib
import logging
import os
import ssl
from pathlib import Path

log = logging.getLogger("kapacitor.server")


def warn_without_authorities() -> None:
    """Warn at the start if no HTTPS endpoint will be trusted."""
    known = ssl.get_default_verify_paths()
    with contextlib.suppress(OSError):
        if known.cafile is not None and Path(known.cafile).stat().st_size:
            return
        if known.capath is not None and any(Path(known.capath).glob("*.0")):
            return
    log.warning(
        "no CA certificates found: HTTPS endpoints will fail. Install the CA "
        "certificates of the system, or set [delivery] ssl-ca",
        extra={
            "file": os.environ.get(known.openssl_cafile_env, known.openssl_cafile),
            "folder": os.environ.get(known.openssl_capath_env, known.openssl_capath),
        },
    )
