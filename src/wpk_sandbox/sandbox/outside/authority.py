"""A certificate authority for one run: it vouches for mocked HTTPS hosts, and is forgotten with the run."""

import ssl

import trustme

from wpk_sandbox.sandbox.shells.inside import TEMPORARY

# More names than a package has any reason to ask for; each costs a key.
MOST_NAMES = 200

_FILE = f"{TEMPORARY}/wpk-sandbox-ca.pem"
_WGETRC = f"{TEMPORARY}/wpk-sandbox-wgetrc"

# Who reads which: OpenSSL and Go; curl; Python's requests; Node; git; the AWS tools; pip; cargo.
_VARIABLES = (
    "SSL_CERT_FILE",
    "CURL_CA_BUNDLE",
    "REQUESTS_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
    "GIT_SSL_CAINFO",
    "AWS_CA_BUNDLE",
    "PIP_CERT",
    "CARGO_HTTP_CAINFO",
)


class Authority:
    """Certificates for any name, made when it is first asked for. The keys never leave this process."""

    def __init__(self) -> None:
        self._authority = trustme.CA(organization_name="wpk-sandbox, for one run")
        self._contexts: dict[str, ssl.SSLContext] = {}

    @property
    def files(self) -> dict[str, str]:
        """What a shell is given: the authority's certificate, and what GNU wget needs to find it."""
        certificate = self._authority.cert_pem.bytes().decode("ascii")
        return {_FILE: certificate, _WGETRC: f"ca_certificate = {_FILE}\n"}

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which programs learn whom to trust."""
        return {**dict.fromkeys(_VARIABLES, _FILE), "WGETRC": _WGETRC}

    def context(self) -> ssl.SSLContext:
        """For a server: it shows a certificate of the name that the client asks for (RFC 6066, section 3)."""
        context = self._certified("wpk-sandbox.invalid")

        def choose(connection: ssl.SSLObject | ssl.SSLSocket, name: str | None, _: ssl.SSLContext) -> None:
            if name:
                connection.context = self._certified(name)

        context.sni_callback = choose
        return context

    def _certified(self, name: str) -> ssl.SSLContext:
        if name not in self._contexts:
            if len(self._contexts) >= MOST_NAMES:
                raise ssl.SSLError(f"certificates for more than {MOST_NAMES} names were asked for")
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._authority.issue_cert(name).configure_cert(context)
            self._contexts[name] = context
        return self._contexts[name]
