"""HTTPS on loopback: a certificate authority of this checkout, and the server's certificate signed by it.

Made with `cryptography` rather than `trustme`, which has no name constraints: what trusts this authority trusts it
for this machine's loopback addresses only, so that a stolen key could not vouch for any other site.
"""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from localcloud.facilities.files import write_private

_ADDRESSES = (ipaddress.ip_address("127.0.0.1"), ipaddress.ip_address("::1"))
_NETWORKS = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))
_HOST = "localhost"
_BLOB_HOSTS = f"*.blob.{_HOST}"  # accounts as Azure's own clients write them
_ASKED = "asked_name"
_AUTHORITY_LIFE = timedelta(days=3650)
_SERVER_LIFE = timedelta(days=90)
_RENEWED_BEFORE = timedelta(days=30)
_BACKDATED = timedelta(hours=1)  # for clients whose clock is behind


class Tls:
    """The certificates beside `ca_file`, which is what clients trust; `clock` gives the time in UTC.

    Raises OSError where the folder cannot be written, ValueError where a file of it cannot be read.
    """

    def __init__(self, ca_file: Path, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._ca_file = ca_file
        self._ca_key_file = ca_file.with_name("ca.key")
        self._server_file = ca_file.with_name("server.pem")
        self._clock = clock
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.context.sni_callback = _remember_name
        if not self.renew():
            self.context.load_cert_chain(self._server_file)

    def renew(self) -> bool:
        """Make what is missing or about to expire; whether that was needed. New connections get what is new."""
        authority = self._authority()
        if authority is None:
            authority = self._new_authority()
        elif self._is_good(self._server_file) and self._server_is_of(authority[0]):
            return False
        self._new_server(*authority)
        self.context.load_cert_chain(self._server_file)
        return True

    def _is_good(self, path: Path) -> bool:
        if not path.exists():
            return False
        expires = x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc
        return expires - self._clock() > _RENEWED_BEFORE

    def _server_is_of(self, authority: x509.Certificate) -> bool:
        server = x509.load_pem_x509_certificate(self._server_file.read_bytes())
        names = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        if _BLOB_HOSTS not in names.get_values_for_type(x509.DNSName):
            return False  # of an older version
        try:
            server.verify_directly_issued_by(authority)
        except (ValueError, TypeError, InvalidSignature):
            return False
        return True

    def _authority(self) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None:
        if not self._is_good(self._ca_file) or not self._ca_key_file.exists():
            return None
        key = serialization.load_pem_private_key(self._ca_key_file.read_bytes(), None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise ValueError(f"{self._ca_key_file.name} is not an elliptic curve key")
        return x509.load_pem_x509_certificate(self._ca_file.read_bytes()), key

    def _new_authority(self) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name(f"Local studio authority {x509.random_serial_number():x}"[:60])
        usage = _usage(cert_sign=True)
        permitted = [x509.DNSName(_HOST), *(x509.IPAddress(network) for network in _NETWORKS)]
        certificate = (
            self._certificate(name, name, key.public_key(), _AUTHORITY_LIFE)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(x509.NameConstraints(permitted, None), critical=True)
            .add_extension(usage, critical=True)
            .sign(key, hashes.SHA256())
        )
        write_private(self._ca_key_file, _pem(key))
        write_private(self._ca_file, certificate.public_bytes(serialization.Encoding.PEM))
        return certificate, key

    def _new_server(self, authority: x509.Certificate, authority_key: ec.EllipticCurvePrivateKey) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        names = [
            x509.DNSName(_HOST),
            x509.DNSName(_BLOB_HOSTS),
            *(x509.IPAddress(address) for address in _ADDRESSES),
        ]
        issuer_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
        certificate = (
            self._certificate(_name(_HOST), authority.subject, key.public_key(), _SERVER_LIFE)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(_usage(digital_signature=True), critical=True)
            .add_extension(issuer_key, critical=False)
            .sign(authority_key, hashes.SHA256())
        )
        write_private(self._server_file, certificate.public_bytes(serialization.Encoding.PEM) + _pem(key))

    def _certificate(
        self, subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, life: timedelta
    ) -> x509.CertificateBuilder:
        now = self._clock()
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _BACKDATED)
            .not_valid_after(now + life)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        )


class ByName(asyncio.Protocol):
    """A connection whose protocol depends on the server name that the client asked for."""

    def __init__(
        self, usual: Callable[[], asyncio.BaseProtocol], blobs: Callable[[], asyncio.BaseProtocol] | None
    ) -> None:
        self._usual = usual
        self._blobs = blobs

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Hand the connection over."""
        asked = getattr(transport.get_extra_info("ssl_object"), _ASKED, "")
        protocol = self._blobs() if self._blobs and asked.endswith(f".blob.{_HOST}") else self._usual()
        transport.set_protocol(protocol)
        protocol.connection_made(transport)


def _remember_name(connection: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> None:
    setattr(connection, _ASKED, name or "")


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _usage(*, digital_signature: bool = False, cert_sign: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_cert_sign=cert_sign,
        crl_sign=cert_sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
