"""The key that tokens are signed with: made on this machine, readable for its user alone."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from localcloud.facilities.files import write_private

_BITS = 2048


@dataclass(frozen=True)
class SigningKey:
    """An RSA key; `id` is made from its public half."""

    id: str
    private: rsa.RSAPrivateKey = field(repr=False)

    @classmethod
    def new(cls) -> SigningKey:
        """A new key, in memory only."""
        return cls._of(rsa.generate_private_key(public_exponent=65537, key_size=_BITS))

    @classmethod
    def open(cls, path: Path) -> SigningKey:
        """The key of a file, which is made where it is missing. Raises OSError, ValueError."""
        if path.exists():
            loaded = serialization.load_pem_private_key(path.read_bytes(), None)
            if not isinstance(loaded, rsa.RSAPrivateKey):
                raise ValueError(f"{path.name} is not an RSA key")
            return cls._of(loaded)
        key = cls.new()
        pem = key.private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        write_private(path, pem)
        return key

    @classmethod
    def _of(cls, private: rsa.RSAPrivateKey) -> SigningKey:
        public = private.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return cls(hashlib.sha256(public).hexdigest()[:32], private)

    def sign(self, claims: dict[str, Any]) -> str:
        """The claims as a JWT (RS256)."""
        return jwt.encode(claims, self.private, algorithm="RS256", headers={"kid": self.id})

    def read(self, token: str) -> dict[str, Any]:
        """The claims of a JWT that this key signed, not yet judged. Raises jwt.InvalidTokenError."""
        claims: dict[str, Any] = jwt.decode(
            token,
            self.private.public_key(),
            algorithms=["RS256"],
            options={
                "require": ["exp"],
                "verify_exp": False,
                "verify_nbf": False,
                "verify_iat": False,
                "verify_aud": False,
                "verify_iss": False,
            },
        )
        return claims

    def public_json(self) -> dict[str, Any]:
        """The public half as a JSON Web Key (RFC 7517)."""
        public: dict[str, Any] = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.private.public_key()))
        return {
            "kty": "RSA",
            "use": "sig",
            "kid": self.id,
            "x5t": self.id,
            "n": public["n"],
            "e": public["e"],
        }
