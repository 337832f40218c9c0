"""Certificates for tests, made on the spot."""

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

PEM = serialization.Encoding.PEM
DAY = timedelta(days=1)
SIGNS_CERTIFICATES = x509.KeyUsage(
    digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False, key_agreement=False,
    key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
)  # fmt: skip


def rsa_key(bits=2048):
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def key_pem(key):
    none = serialization.NoEncryption()
    return key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, none).decode()


def named(name):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


class Authority:
    """Signs certificates, its own one first."""

    def __init__(self, name="authority"):
        self.key, self.name = rsa_key(), name
        self.pem = self.sign(self.key, name, ca=True)

    def sign(
        self,
        key,
        name,
        *,
        starts=-DAY,
        ends=100 * DAY,
        ca=False,
        digest=None,
        dns="localhost",
        sign_with=None,
    ):
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(named(name))
            .issuer_name(named(self.name))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + starts)
            .not_valid_after(now + ends)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(dns)]), critical=False)
            # What Python 3.13's clients ask of a chain (RFC 5280, 4.2.1.1 to 4.2.1.3).
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False
            )
        )
        if ca:
            builder = builder.add_extension(SIGNS_CERTIFICATES, critical=True)
        certificate = builder.sign(sign_with or self.key, digest or hashes.SHA256())
        return certificate.public_bytes(PEM).decode()

    def revocations(self, *revoked_pems):
        now = datetime.now(UTC)
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(named(self.name))
            .last_update(now - DAY)
            .next_update(now + DAY)
        )
        for pem in revoked_pems:
            serial = x509.load_pem_x509_certificate(pem.encode()).serial_number
            one = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now - DAY).build()
            builder = builder.add_revoked_certificate(one)
        return builder.sign(self.key, hashes.SHA256()).public_bytes(PEM).decode()
