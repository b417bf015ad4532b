"""A certificate authority of one's own, as companies have inside their networks."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

_SIGNS_CERTIFICATES = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)

NOW = datetime.now(UTC)


class PrivateCA:
    """Signs certificates of servers.

    Attributes:
        file: Its own certificate, in PEM.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("A private CA")
        certificate = self._signed(self._name, self._key.public_key(), ca=True)
        self.file = folder / "ca.pem"
        self.file.write_bytes(certificate)

    def trusting(self) -> ssl.SSLContext:
        """Return a client's context that trusts this CA alone."""
        return ssl.create_default_context(cafile=self.file)

    def serving(self, *names: str, days: tuple[int, int] = (-1, 1)) -> ssl.SSLContext:
        """Return the context of a server of these names.

        Args:
            names: The names in its certificate.
            days: The first and last day of the certificate, from today.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        file = self._folder / "server.pem"
        file.write_bytes(
            self._signed(_name(names[0]), key.public_key(), *names, days=days)
            + key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def _signed(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePublicKey,
        *names: str,
        days: tuple[int, int] = (-1, 1),
        ca: bool = False,
    ) -> bytes:
        first, last = (NOW + timedelta(days=day) for day in days)
        builder = (
            x509.CertificateBuilder(self._name, subject, key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(first)
            .not_valid_after(last)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), ca)
            # Python 3.13 and later insist on these (RFC 5280 4.2.1.1 and 4.2.1.2).
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), False)
            .add_extension(_authority(self._key.public_key()), False)
        )
        if ca:
            builder = builder.add_extension(_SIGNS_CERTIFICATES, True)
        if names:
            listed = [x509.DNSName(name) for name in names]
            builder = builder.add_extension(x509.SubjectAlternativeName(listed), False)
        signed = builder.sign(self._key, hashes.SHA256())
        return signed.public_bytes(serialization.Encoding.PEM)


def _authority(key: ec.EllipticCurvePublicKey) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(key)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])
