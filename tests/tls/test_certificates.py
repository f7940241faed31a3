"""Which certificate a client is shown, how it is renewed, and why one is no good."""

import contextlib
import shutil
import ssl
from pathlib import Path

import pytest

from proxy.tls.certificates import Certificates, CertificateTable, renew
from proxy.tls.pem import Pair, Unusable
from tests.kits.authority import Authority, Issued


@pytest.fixture
def pairs(shop: Issued, blog: Issued) -> list[Pair]:
    return [Pair(shop.cert, shop.key), Pair(blog.cert, blog.key)]


@pytest.fixture
def certificates(pairs: list[Pair]) -> Certificates:
    made = Certificates(pairs)
    renew([made])
    return made


class Met:
    """A handshake in memory, as a client that trusts the authority sees it."""

    def __init__(
        self,
        server: ssl.SSLContext,
        authority: Authority,
        name: str | None,
        *,
        client: ssl.SSLContext | None = None,
        turns: int = 10,
    ) -> None:
        self.client = client or ssl.create_default_context(cafile=authority.cert)
        self.client.check_hostname = False
        to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.near = self.client.wrap_bio(to_client, to_server, server_hostname=name)
        self.far = server.wrap_bio(to_server, to_client, server_side=True)
        for _ in range(turns):
            for end in (self.near, self.far):
                with contextlib.suppress(ssl.SSLWantReadError):
                    end.do_handshake()

    @property
    def names(self) -> set[str]:
        return {name for _, name in self.near.getpeercert()["subjectAltName"]}


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("shop.example", "shop.example"),
        ("SHOP.example", "shop.example"),
        ("blog.example", "blog.example"),
        ("a.blog.example", "blog.example"),
        ("A.Blog.Example", "blog.example"),
        ("a.b.blog.example", "shop.example"),  # a wildcard is one label (RFC 9525 section 6.3)
        ("other.example", "shop.example"),
        ("example", "shop.example"),
        (None, "shop.example"),
    ],
)
def test_the_name_that_a_client_says_chooses(
    certificates: Certificates, authority: Authority, name: str | None, shown: str
) -> None:
    assert shown in Met(certificates.context, authority, name).names


def test_an_exact_name_wins_over_a_wildcard_and_the_first_pair_over_later_ones(authority: Authority) -> None:
    wild, exact, later = (
        authority.issue(*names) for names in (["*.a.example"], ["b.a.example"], ["b.a.example"])
    )
    shown = CertificateTable.read([Pair(each.cert, each.key) for each in (wild, exact, later)])
    assert len(shown.named) == 2
    assert shown.pick("b.a.example") is shown.named["b.a.example"]
    assert shown.pick("c.a.example") is shown.named["*.a.example"] is shown.default
    assert shown.pick("B.a.example.") is shown.named["b.a.example"]


@pytest.mark.parametrize("names", [[], ["IP:127.0.0.1"]])
def test_a_certificate_without_names_is_shown_by_default(authority: Authority, names: list[str]) -> None:
    issued = authority.issue(*names)
    shown = CertificateTable.read([Pair(issued.cert, issued.key)])
    assert shown.named == {}
    assert shown.pick("shop.example") is shown.default


def test_an_expired_certificate_is_for_clients_to_judge(authority: Authority) -> None:
    issued = authority.issue("late.example", days=-1)
    assert "late.example" in CertificateTable.read([Pair(issued.cert, issued.key)]).named


def test_rsa_and_a_chain_in_one_file(authority: Authority, tmp_path: Path) -> None:
    issued = authority.issue("rsa.example", kind="rsa")
    both = tmp_path / "both.pem"
    both.write_text("".join(Path(path).read_text() for path in (issued.cert, authority.cert, issued.key)))
    assert "rsa.example" in CertificateTable.read([Pair(str(both), str(both))]).named


def test_http_1_1_is_agreed_on_over_tls_1_2_and_1_3(certificates: Certificates, authority: Authority) -> None:
    client = ssl.create_default_context(cafile=authority.cert)
    client.set_alpn_protocols(["h2", "http/1.1"])
    met = Met(certificates.context, authority, "blog.example", client=client)
    assert met.near.selected_alpn_protocol() == "http/1.1"
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        client = ssl.create_default_context(cafile=authority.cert)
        client.minimum_version = client.maximum_version = version
        assert Met(
            certificates.context, authority, None, client=client
        ).near.version() == version.name.replace("_", ".")


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated:DeprecationWarning")
def test_a_client_that_speaks_nothing_newer_than_tls_1_1_is_refused(
    certificates: Certificates, authority: Authority
) -> None:
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(ssl.SSLError, match="UNSUPPORTED_PROTOCOL"):
        Met(certificates.context, authority, None, client=old)


def test_a_client_cannot_have_us_renegotiate(certificates: Certificates) -> None:
    assert certificates.context.options & ssl.OP_NO_RENEGOTIATION
    assert certificates.table.default.options & ssl.OP_NO_RENEGOTIATION


@pytest.fixture
def copied(shop: Issued, tmp_path: Path) -> Pair:
    """A pair whose files can be changed."""
    cert, key = tmp_path / "own.pem", tmp_path / "own.key"
    shutil.copy(shop.cert, cert)
    shutil.copy(shop.key, key)
    return Pair(str(cert), str(key))


def test_a_renewal_shows_new_certificates_and_leaves_established_connections_alone(
    copied: Pair, blog: Issued, authority: Authority
) -> None:
    certificates = Certificates([copied])
    renew([certificates])
    before = Met(certificates.context, authority, "shop.example")
    shutil.copy(blog.cert, copied.cert)
    shutil.copy(blog.key, copied.key)
    assert "shop.example" in Met(certificates.context, authority, None).names, "files alone change nothing"
    outer = certificates.context
    renew([certificates])
    assert certificates.context is outer
    assert "blog.example" in Met(certificates.context, authority, None).names
    assert "shop.example" in before.names
    before.near.write(b"still there")
    assert before.far.read() == b"still there"


def test_a_bad_pair_changes_nothing_not_even_of_other_listeners(
    copied: Pair, blog: Issued, shop: Issued, authority: Authority
) -> None:
    one, other = Certificates([Pair(shop.cert, shop.key)]), Certificates([copied])
    renew([one, other])
    held = one.table, other.table
    shutil.copy(blog.cert, copied.cert)
    with pytest.raises(Unusable):
        renew([one, other])
    assert (one.table, other.table) == held
    assert "shop.example" in Met(other.context, authority, "shop.example").names


def test_a_certificate_that_no_client_would_take_is_no_good(authority: Authority) -> None:
    issued = authority.issue("shop.example", usage="clientAuth")
    with pytest.raises(Unusable, match=r"no client would accept it: unsuitable certificate purpose"):
        CertificateTable.read([Pair(issued.cert, issued.key)])


def test_its_repr_names_the_files(pairs: list[Pair]) -> None:
    assert repr(Certificates(pairs)) == f"<Certificates {pairs[0].cert}, {pairs[1].cert}>"
