"""The downloader against mirrors that fail in every way we know, on a server of our own."""

import re
import subprocess
import sys
import time

import pytest

from helpers.internal import download
from helpers.internal.files import ROOT
from helpers.internal.official import DataError
from tests.support import small_cifar
from tests.support.mirror_server import Mirror, MirrorServer
from tests.support.small_cifar import ARCHIVES, BINARY, PYTHON

CONTENT = ARCHIVES[BINARY]
SIZE = len(CONTENT)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TUTORIAL_CACHE", str(tmp_path))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.delenv("CIFAR10_DIR", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return tmp_path


@pytest.fixture
def server(cache):
    with MirrorServer() as server:
        yield server


@pytest.fixture
def fetch(server, cache, monkeypatch):
    """Download from these mirrors, in this order, and check what comes."""

    def fetch(*mirrors, archives=(BINARY,), window=5):
        urls = [server.add(mirror, archives[i % len(archives)]) for i, mirror in enumerate(mirrors)]
        small_cifar.install(monkeypatch.setattr, *urls, window=window)
        path = download.fetch()
        assert path.read_bytes() == ARCHIVES[path.name]
        return path

    return fetch


def test_a_good_mirror_is_asked_once_and_leaves_nothing_half(fetch, cache):
    good, unused = Mirror(CONTENT), Mirror(CONTENT)
    assert fetch(good, unused) == cache / BINARY
    assert (good.starts, unused.starts) == ([0], [])
    assert list(cache.iterdir()) == [cache / BINARY]


def test_a_mirror_that_breaks_off_is_asked_for_the_rest(fetch):
    mirror = Mirror(CONTENT, end_at=0.5, faulty=1)
    fetch(mirror)
    assert 0 < mirror.starts[1] <= SIZE / 2
    assert len(mirror.starts) == 2


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 404},
        {"status": 503},
        {"status": 302, "headers": {"Location": "/0/"}},
        {"headers": {"Content-Length": SIZE + 1}},
        {"stall_at": 0.0},
        {"stall_at": -1},
        {"pause": 0.1},
    ],
    ids=["missing", "busy", "redirect", "other size", "silent", "endless header", "slow"],
)
def test_a_mirror_that_fails_is_left_and_if_all_do_asked_once_more(fetch, fault):
    bad, good = Mirror(CONTENT, faulty=1, **fault), Mirror(CONTENT)
    fetch(bad, good, window=0.4)
    assert (bad.starts, good.starts) == ([0], [0])
    fetch(Mirror(CONTENT, faulty=1, **fault), window=0.5)


def test_the_next_mirror_of_the_same_archive_goes_on_and_one_of_another_does_not(fetch):
    broken, other, good = Mirror(CONTENT, stall_at=0.5), Mirror(ARCHIVES[PYTHON]), Mirror(CONTENT)
    fetch(broken, good, window=0.3)
    assert 0 < good.starts[0] <= SIZE / 2
    assert fetch(Mirror(CONTENT, stall_at=0.5), other, archives=(BINARY, PYTHON), window=0.3).name == PYTHON
    assert other.starts == [0]


@pytest.mark.parametrize("headers", [{}, {"Content-Length": None}])  # some proxies leave it out
def test_without_range_or_length_no_byte_is_lost_or_doubled(fetch, cache, headers):
    (cache / f"{BINARY}.part").write_bytes(CONTENT[:5000])
    mirror = Mirror(CONTENT, ranges=False, headers=headers)
    fetch(mirror)
    assert mirror.starts == [5000]


def test_wrong_bytes_are_thrown_away_and_spoil_no_good_mirror(fetch, cache):
    with pytest.raises(DataError, match="wrong SHA-256"):
        fetch(Mirror(bytes(SIZE)))
    assert list(cache.iterdir()) == []
    good = Mirror(CONTENT)
    fetch(Mirror(bytes(SIZE), stall_at=0.5), good, window=0.3)
    assert good.starts[0] > good.starts[1] == 0  # it went on with the wrong beginning, and began anew
    (cache / f"{BINARY}.part").write_bytes(bytes(SIZE + 5000))
    fetch(Mirror(CONTENT))


def test_when_all_fail_the_error_says_what_was_tried_and_the_three_ways_out(cache, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/cacert.pem")
    urls = [f"http://no-such-host.invalid/{BINARY}", f"https://127.0.0.1:9/{BINARY}"]
    small_cifar.install(monkeypatch.setattr, *urls)
    with pytest.raises(DataError) as caught:
        download.fetch()
    ways_out = ("CIFAR10_DIR", str(cache), 'source="sample"')
    for expected in (*urls, "invalid path: /nowhere/cacert.pem", "REQUESTS_CA_BUNDLE", *ways_out):
        assert expected in str(caught.value)
    for unexpected in ("cannot be written", "Max retries"):  # which would hide the reason
        assert unexpected not in str(caught.value)


def test_what_a_server_says_cannot_steer_a_terminal(fetch):
    with pytest.raises(DataError, match=r"\\x1b\[2J"):
        fetch(Mirror(CONTENT, headers={"Content-Length": "\x1b[2J"}))


def test_a_disk_that_is_full_or_read_only_is_the_disk_s_fault(fetch, cache, monkeypatch):
    monkeypatch.setenv("TUTORIAL_CACHE", str(cache / "none"))
    unused = Mirror(CONTENT)
    with pytest.raises(DataError, match=f"The cache folder {cache / 'none'} cannot be written"):
        fetch(unused)
    assert unused.starts == []


def test_all_mirrors_are_of_official_archives_and_the_source_is_among_them():
    parts = [re.fullmatch(r"https://([^/]+)/.*?([^/]+)", url).groups() for url in download.MIRRORS]
    assert {archive for _, archive in parts} == set(download.ARCHIVES)
    assert "www.cs.toronto.edu" in dict(parts)


def load_elsewhere(url):
    command = [sys.executable, "-m", "tests.support.small_cifar", url]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.slow
def test_a_killed_download_goes_on_and_two_processes_download_once(server, cache):
    mirror = Mirror(CONTENT, pause=0.02)
    url, part = server.add(mirror, BINARY), cache / f"{BINARY}.part"
    first = load_elsewhere(url)
    while not part.exists() or part.stat().st_size < SIZE / 2:
        assert first.poll() is None, first.stderr.read()
        time.sleep(0.01)
    first.kill()  # nothing can be tidied up
    first.wait()
    kept = part.stat().st_size
    both = [load_elsewhere(url) for _ in range(2)]
    outputs = [process.communicate() for process in both]
    assert [process.returncode for process in both] == [0, 0], outputs
    assert mirror.starts == [0, kept]  # the rest, once, and not a byte more
