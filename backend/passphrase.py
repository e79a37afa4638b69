"""Pulumi's passphrase secrets: PBKDF2-SHA256 (1,000,000 rounds, 8-byte salt), AES-256-GCM, `v1:nonce:text`.

The salt in a stack file is `v1:<salt>:<"pulumi" encrypted>`, so that a wrong passphrase is found out. Source:
`sdk/go/common/resource/config/crypt.go` and `pkg/secrets/passphrase/manager.go` of Pulumi 3.260.
"""

from __future__ import annotations

import base64
import hashlib
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from backend.errors import PassphraseError

ROUNDS = 1_000_000
_KEYS: dict[tuple[str, bytes], bytes] = {}
_LOCK = threading.Lock()


def find_passphrase(given: str | None) -> str:
    """The passphrase given, or that of the environment, as the CLI looks for it.

    Raises:
        PassphraseError: none is set.
    """
    if given is not None:
        return given
    if (from_env := os.environ.get("PULUMI_CONFIG_PASSPHRASE")) is not None:
        return from_env
    if path := os.environ.get("PULUMI_CONFIG_PASSPHRASE_FILE"):
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise PassphraseError(
                f"the passphrase file can't be read: {error.strerror}",
                "set PULUMI_CONFIG_PASSPHRASE_FILE to it",
            ) from error
    raise PassphraseError(
        "there is no passphrase for the stack's secrets",
        "set PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE",
    )


class Crypter:
    """Encrypts and decrypts with one salt; the key is derived when the first value needs it."""

    def __init__(self, passphrase: Callable[[], str], salt: str) -> None:
        self._passphrase = passphrase
        self.salt = salt
        self._aead: AESGCM | None = None
        self._known: dict[str, str] = {}
        self._lock = threading.Lock()

    @classmethod
    def new(cls, passphrase: Callable[[], str]) -> Crypter:
        """A crypter with a fresh salt."""
        salt = os.urandom(8)
        crypter = cls(passphrase, "")
        crypter._aead = AESGCM(_key(passphrase(), salt))
        crypter.salt = f"v1:{base64.b64encode(salt).decode()}:{crypter.encrypt('pulumi')}"
        return crypter

    def check(self) -> None:
        """Derive the key now. Raises PassphraseError where the passphrase isn't the salt's."""
        self._cipher()

    def prepare(self) -> None:
        """Derive the key beside what else there is to do; what is wrong with it is said when it is needed."""

        def derive() -> None:
            with suppress(PassphraseError, ValueError):
                self._cipher()

        threading.Thread(target=derive, name="key", daemon=True).start()

    def encrypt(self, text: str) -> str:
        """`v1:nonce:ciphertext`, base64; a text that was seen in this run keeps its ciphertext."""
        if (cipher := self._known.get(text)) is not None:
            return cipher
        nonce = os.urandom(12)
        sealed = self._cipher().encrypt(nonce, text.encode(), None)
        cipher = f"v1:{base64.b64encode(nonce).decode()}:{base64.b64encode(sealed).decode()}"
        self._known[text] = cipher
        return cipher

    def decrypt(self, cipher: str) -> str:
        """The plain text.

        Raises:
            PassphraseError: the passphrase is wrong, or the value was not encrypted with this salt.
        """
        try:
            text = self._open(self._cipher(), cipher)
        except (InvalidTag, ValueError) as error:
            raise PassphraseError(
                "a secret of the stack can't be decrypted",
                "it was encrypted with another salt: restore the stack file",
            ) from error
        self._known[text] = cipher
        return text

    def _cipher(self) -> AESGCM:
        with self._lock:
            if self._aead is None:
                parts = self.salt.split(":", 2)
                if len(parts) != 3 or parts[0] != "v1":
                    raise PassphraseError(
                        "the stack's encryption salt is malformed", "restore the stack file"
                    )
                aead = AESGCM(_key(self._passphrase(), base64.b64decode(parts[1])))
                try:
                    right = self._open(aead, parts[2]) == "pulumi"
                except (InvalidTag, ValueError):
                    right = False
                if not right:
                    raise PassphraseError(
                        "incorrect passphrase", "set PULUMI_CONFIG_PASSPHRASE to the stack's"
                    )
                self._aead = aead
            return self._aead

    @staticmethod
    def _open(aead: AESGCM, cipher: str) -> str:
        version, nonce, sealed = cipher.split(":")
        if version != "v1":
            raise ValueError(version)
        return aead.decrypt(base64.b64decode(nonce), base64.b64decode(sealed), None).decode()


def _key(passphrase: str, salt: bytes) -> bytes:
    with _LOCK:
        known = _KEYS.get((passphrase, salt))
        if known is None:
            known = hashlib.pbkdf2_hmac("sha256", passphrase.encode(), salt, ROUNDS, 32)
            _KEYS[passphrase, salt] = known
        return known
