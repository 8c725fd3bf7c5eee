"""The seam to shops, against a server that answers as hostile ones do, and name servers that change their mind."""

import gzip
import threading
import zlib
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from sluice.pages.fetch import MOST_BYTES, PageClient, ShopAnswer, Unfetched
from sluice.platform.pinned import LookUp
from tests.support.patience import SECONDS

PAGE = b"<html><body>hello</body></html>"


class Server(ThreadingHTTPServer):
    """Answers what a test sets. seen: the requests."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer: Callable[[_Handler], None] = lambda handler: handler.send(PAGE)
        self.seen: list[tuple[str, dict[str, str]]] = []
        self.over = threading.Event()

    @property
    def url(self) -> str:
        return f"http://shop.localhost:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.server.seen.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        self.server.answer(self)

    def send(self, body: bytes, status: int = 200, /, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"content_length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def chunk(self, part: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.over.set()
        server.shutdown()
        thread.join()


def get(url: str, client: PageClient | None = None, headers: dict[str, str] | None = None) -> ShopAnswer:
    own = client or PageClient(local=True, seconds=SECONDS)
    try:
        return own.get(url, headers or {}, lambda _: None)
    finally:
        own.close()


def refused(url: str, client: PageClient | None = None) -> Unfetched:
    with pytest.raises(Unfetched) as failed:
        get(url, client)
    return failed.value


def test_a_page_is_fetched_and_says_who_asks(server: Server) -> None:
    answer = get(
        f"{server.url}/p",
        PageClient(local=True, seconds=SECONDS, contact="https://sluice.example/bot"),
        {"if-none-match": '"1"'},
    )
    assert (answer.status, answer.body, answer.redirects, answer.packed) == (200, PAGE, (), len(PAGE))
    [(path, headers)] = server.seen
    assert path == "/p"
    assert headers["user-agent"] == "Sluice/1 (product page watcher; +https://sluice.example/bot)"
    assert (headers["if-none-match"], headers["accept-encoding"]) == ('"1"', "gzip, deflate")
    assert headers["host"] == server.url.removeprefix("http://")


def deflated(raw: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(raw) + packer.flush()


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(PAGE, mtime=0)),
        ("deflate", zlib.compress(PAGE)),
        ("deflate", deflated(PAGE)),
        ("identity", PAGE),
    ],
)
def test_what_is_packed_is_unpacked(server: Server, encoding: str, body: bytes) -> None:
    server.answer = lambda handler: handler.send(body, content_encoding=encoding)
    assert get(f"{server.url}/p").body == PAGE


def test_a_gzip_bomb_ends_at_the_limit(server: Server) -> None:
    bomb = gzip.compress(b"\0" * (4 * MOST_BYTES))
    assert len(bomb) < MOST_BYTES // 100
    server.answer = lambda handler: handler.send(bomb, content_encoding="gzip")
    failed = refused(f"{server.url}/p")
    assert (failed.code, failed.passing) == ("too_large", False)


def test_a_page_of_eleven_megabytes_ends_at_ten(server: Server) -> None:
    server.answer = lambda handler: handler.send(b"x" * (11 * 1024 * 1024))
    assert refused(f"{server.url}/p").code == "too_large"
    server.answer = lambda handler: handler.send(b"x" * MOST_BYTES)
    assert len(get(f"{server.url}/p").body) == MOST_BYTES


def test_an_endless_page_ends_at_the_limit(server: Server) -> None:
    def endless(handler: _Handler) -> None:
        handler.send_response(200)
        handler.send_header("transfer-encoding", "chunked")
        handler.end_headers()
        try:
            while True:
                handler.chunk(b"x" * 65_536)
        except OSError:
            return

    server.answer = endless
    assert refused(f"{server.url}/p").code == "too_large"


def test_a_page_that_drips_ends_with_the_time_of_the_whole_fetch(server: Server) -> None:
    def drip(handler: _Handler) -> None:
        handler.send_response(200)
        handler.send_header("transfer-encoding", "chunked")
        handler.end_headers()
        try:
            while not handler.server.over.wait(0.02):
                handler.chunk(b"x")
        except OSError:
            return

    server.answer = drip
    failed = refused(f"{server.url}/p", PageClient(local=True, seconds=0.3))
    assert (failed.code, failed.passing) == ("timed_out", True)


def test_headers_that_never_come_end_with_the_time_of_the_whole_fetch(server: Server) -> None:
    def silent(handler: _Handler) -> None:
        handler.server.over.wait()

    server.answer = silent
    assert refused(f"{server.url}/p", PageClient(local=True, seconds=0.3)).code == "timed_out"


@pytest.mark.parametrize(
    ("body", "headers", "code"),
    [
        (PAGE, {"content_encoding": "gzip"}, "broken"),
        (gzip.compress(PAGE * 100, mtime=0)[:-20], {"content_encoding": "gzip"}, "broken"),
        (PAGE, {"content_encoding": "br"}, "encoding"),
        (PAGE, {"content_encoding": "gzip, gzip"}, "encoding"),
    ],
)
def test_a_body_that_is_not_as_it_says_is_no_page(
    server: Server, body: bytes, headers: dict[str, str], code: str
) -> None:
    server.answer = lambda handler: handler.send(body, **headers)
    assert refused(f"{server.url}/p").code == code


def test_what_may_be_cut_is_cut(server: Server) -> None:
    server.answer = lambda handler: handler.send(b"x" * 5_000)
    client = PageClient(local=True, seconds=SECONDS)
    answer = client.get(f"{server.url}/robots.txt", {}, lambda _: None, most=1_000, cut=True)
    client.close()
    assert answer.body == b"x" * 1_000


def redirects(targets: dict[str, str]) -> Callable[[_Handler], None]:
    def answer(handler: _Handler) -> None:
        if target := targets.get(handler.path):
            handler.send(b"", 302, location=target)
        else:
            handler.send(PAGE)

    return answer


def test_redirects_are_followed_five_times(server: Server) -> None:
    server.answer = redirects({f"/{number}": f"/{number + 1}" for number in range(5)})
    answer = get(f"{server.url}/0")
    assert answer.url == f"{server.url}/5"
    assert answer.redirects == tuple(f"{server.url}/{number}" for number in range(5))
    server.answer = redirects({f"/{number}": f"/{number + 1}" for number in range(6)})
    assert refused(f"{server.url}/0").code == "redirects"


def test_each_hop_is_permitted_anew(server: Server) -> None:
    server.answer = redirects({"/a": "/b?utm_source=x", "/b": "/c"})
    asked = list[str]()
    client = PageClient(local=True, seconds=SECONDS)
    client.get(f"{server.url}/a", {}, asked.append)
    client.close()
    assert asked == [f"{server.url}/a", f"{server.url}/b?utm_source=x"]


@pytest.mark.parametrize(
    "target",
    [
        "file:///etc/passwd",
        "http://10.0.0.1/",
        "http://169.254.169.254/latest/meta-data",
        "ftp://shop.example/",
        "//[::ffff:10.0.0.1]/",
    ],
)
def test_a_redirect_inside_or_to_another_scheme_is_refused(server: Server, target: str) -> None:
    server.answer = redirects({"/a": target})
    assert refused(f"{server.url}/a").code == "redirect_refused"
    assert len(server.seen) == 1


def names(*answers: list[str]) -> LookUp:
    """A name server that answers so, one after the other."""
    left = list(answers)

    def look_up(_: str, __: int) -> list[str]:
        return left.pop(0)

    return look_up


PRIVATE = [
    "10.0.0.1",
    "127.0.0.1",
    "::1",
    "::ffff:10.0.0.1",
    "64:ff9b::a00:1",
    "::ffff:0:a00:1",
    "2002:a00:1::",
    "100.64.0.1",
]
PRIVATE += [
    "169.254.169.254",
    "fd00:ec2::254",
    "0.0.0.0",
    "224.0.0.1",
    "3fff::1",
    "5f00::1",
    "100::1",
    "100:0:0:1::1",
    "2001:db8::1",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_a_name_that_leads_inside_is_refused(address: str) -> None:
    failed = refused("https://shop.example/", PageClient(local=False, look_up=names([address])))
    assert (failed.code, failed.passing) == ("address_refused", False)
    mixed = names(["93.184.215.14", address])
    assert refused("https://shop.example/", PageClient(local=False, look_up=mixed)).code == "address_refused"


def test_a_name_server_that_changes_its_mind_is_asked_once_for_a_connection(server: Server) -> None:
    """The address that was checked is the one that is connected to; the next connection is checked anew."""
    asked = list[str]()

    def look_up(host: str, _: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    client = PageClient(local=True, look_up=look_up)
    url = server.url.replace("shop.localhost", "shop.example")
    server.answer = lambda handler: handler.send(PAGE, connection="close")
    assert client.get(url, {}, lambda _: None).body == PAGE
    assert asked == ["shop.example"]
    with pytest.raises(Unfetched) as failed:
        client.get(url, {}, lambda _: None)
    assert failed.value.code == "address_refused"
    client.close()


def test_an_address_is_not_told(server: Server) -> None:
    assert "10.0.0.1" not in str(refused("https://shop.example/", PageClient(local=False, look_up=names(["10.0.0.1"]))))


def test_other_ports_are_refused_when_a_connection_is_made() -> None:
    client = PageClient(local=False, look_up=names(["93.184.215.14"]))
    assert refused("https://shop.example:8443/", client).code == "address_refused"


def test_a_host_without_an_address_may_be_tried_again() -> None:
    failed = refused("https://shop.example/", PageClient(local=False, look_up=names([])))
    assert (failed.code, failed.passing) == ("unreachable", True)
