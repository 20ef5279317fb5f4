"""Values that only the server's own key opens, and the file that holds the key."""

from __future__ import annotations

import contextlib
import logging
import os
import stat
from pathlib import Path

from nacl import bindings as sodium
from nacl.exceptions import CryptoError

from runtime.errors import StoreError
from runtime.store import durable

_KEY_BYTES = sodium.crypto_aead_xchacha20poly1305_ietf_KEYBYTES
# long enough that random ones never repeat, however much is sealed with one key
_NONCE_BYTES = sodium.crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
# longer than any key file; a file of this size is not read
_MOST_BYTES = 1024

_log = logging.getLogger("kapacitor.storage")


class Seal:
    """XChaCha20-Poly1305 with one key.

    A sealed value is a random nonce, the ciphertext and its tag. It is bound to its
    bucket and key: moved to another place, it cannot be opened.
    """

    def __init__(self, key: bytes | None = None) -> None:
        """Use `key`; None for a random key that is stored nowhere."""
        self._key = os.urandom(_KEY_BYTES) if key is None else key

    def sealed(self, bucket: str, key: str, value: bytes) -> bytes:
        """`value`, encrypted for its bucket and key."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(
            value, _place(bucket, key), nonce, self._key
        )

    def opened(self, bucket: str, key: str, sealed: bytes) -> bytes:
        """The decrypted value.

        Raises:
            StoreError: it was sealed with another key or for another place, or it is
                damaged.
        """
        nonce, text = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            return sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(
                text, _place(bucket, key), nonce, self._key
            )
        # the latter: a value that is too short to have a nonce
        except (CryptoError, ValueError) as error:
            raise StoreError(f"the value of {bucket}/{key} does not open") from error


def _place(bucket: str, key: str) -> bytes:
    """The address of a value; unique."""
    name = bucket.encode()
    return len(name).to_bytes(4) + name + key.encode()


class KeyFile:
    """A key in a file: 64 hexadecimal digits in a line."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> bytes | None:
        """The key; None if the file does not exist.

        Raises:
            StoreError: it cannot be read, or is not a key.
        """
        try:
            found = self.path.lstat()
            if not stat.S_ISREG(found.st_mode):
                raise StoreError(f"{self._named} is not a regular file")
            content = self.path.read_bytes() if found.st_size < _MOST_BYTES else b""
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreError(
                f"{self._named} cannot be read: {error.strerror}"
            ) from error
        with contextlib.suppress(ValueError):
            key = bytes.fromhex(content.decode("ascii"))
            if len(key) == _KEY_BYTES:
                return key
        raise StoreError(
            f"{self._named} is damaged: it should be a line of {2 * _KEY_BYTES} "
            "hexadecimal digits; put a copy of it there"
        )

    def seal(self, value: tuple[str, str, bytes] | None) -> Seal:
        """The seal that opens the values of a database.

        A key is created only for a database without values: otherwise it would replace
        a lost key.

        Args:
            value: bucket, key and sealed value of one of them; None if there are none.

        Raises:
            StoreError: the key is missing, cannot be read or created, or does not fit
                the values.
        """
        # an interrupted start may have left a key that is not confirmed yet
        key = self.read() or (self.provisional.read() if value else None)
        if value is None:
            if key is None:
                key = self.create()
                _log.info(
                    "created the key of the database: keep a copy, separate from "
                    "backups",
                    extra={"path": self.path},
                )
            return Seal(key)
        if key is None:
            raise StoreError(
                f"{self._named} is missing, and its values cannot be read without it. "
                "The database is unchanged: put a copy of the key file there"
            )
        seal = Seal(key)
        try:
            seal.opened(*value)
        except StoreError as error:
            raise StoreError(
                "its values were encrypted with another key than the one in "
                f"{self.path}. The database is unchanged: put its own key file there"
            ) from error
        return seal

    @property
    def provisional(self) -> KeyFile:
        """The file of a new key, until something is sealed with it."""
        return KeyFile(self.path.with_name(f"{self.path.name}.new"))

    def create(self) -> bytes:
        """Create a key in the provisional file, where it stays until `confirm`.

        After this has returned, the file survives a crash of the machine. A crash
        before that leaves the whole file or none.

        Raises:
            StoreError: the file cannot be written.
        """
        key = os.urandom(_KEY_BYTES)
        try:
            durable.write(self.provisional.path, f"{key.hex()}\n".encode(), 0o600)
        except OSError as error:
            raise StoreError(
                f"{self._named} cannot be written: {error.strerror}"
            ) from error
        return key

    def confirm(self) -> None:
        """Make a provisional key permanent: values sealed with it are on the disk.

        Raises:
            StoreError: the file cannot be renamed.
        """
        try:
            self.provisional.path.replace(self.path)
            durable.sync(self.path.parent)
        except FileNotFoundError:
            return
        except OSError as error:
            raise StoreError(
                f"{self._named} cannot be written: {error.strerror}"
            ) from error

    @property
    def _named(self) -> str:
        return f"its key file {self.path}"
