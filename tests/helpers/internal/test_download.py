"""The downloader against mirrors that fail in every way we know, on a server of our own."""

import hashlib
import socket
import subprocess
import sys
import time

import pytest
import requests

from helpers.internal import download
from helpers.internal.formats import DataError
from tests import small_cifar
from tests.support.mirror_server import Mirror, MirrorServer
from tests.support.small_cifar import BINARY, PYTHON, QUICK

CONTENT = small_cifar.ARCHIVES["cifar-10-batches-bin"]
ROOT = download.cache.ROOT


@pytest.fixture
def server():
    with MirrorServer() as server:
        yield server


@pytest.fixture(autouse=True)
def cache_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("TUTORIAL_CACHE", str(tmp_path))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.delenv("CIFAR10_DIR", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return tmp_path


@pytest.fixture
def fetch(server):
    """Download from these mirrors, in this order."""

    def fetch(*mirrors, archive=BINARY):
        return download.fetch([(archive, server.add(mirror)) for mirror in mirrors], QUICK)

    return fetch


def check(path, folder, archive=BINARY):
    assert path == folder / archive.name
    assert hashlib.sha256(path.read_bytes()).hexdigest() == archive.sha256
    assert list(folder.iterdir()) == [path]  # no .part, nothing half


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def test_a_good_mirror_is_asked_once(fetch, cache_folder):
    good, unused = Mirror(CONTENT), Mirror(CONTENT)
    check(fetch(good, unused), cache_folder)
    assert good.starts == [0]
    assert unused.starts == []


@pytest.mark.parametrize("place", [0.1, 0.5, 0.9])
def test_after_a_reset_the_same_mirror_sends_the_rest(fetch, cache_folder, place):
    mirror = Mirror(CONTENT, reset_at=place, faulty=1)
    check(fetch(mirror), cache_folder)
    assert len(mirror.starts) == 2
    assert 0 < mirror.starts[1] <= place * BINARY.size


@pytest.mark.parametrize("place", [0.1, 0.5, 0.9])
def test_a_mirror_that_always_resets_is_left_and_the_next_one_goes_on(fetch, cache_folder, place):
    bad, good = Mirror(CONTENT, reset_at=place), Mirror(CONTENT)
    check(fetch(bad, good), cache_folder)
    assert good.starts[0] > 0


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_mirror_is_asked_again(fetch, cache_folder, status):
    mirror = Mirror(CONTENT, status=status, faulty=2)
    check(fetch(mirror), cache_folder)
    assert len(mirror.starts) == 3


@pytest.mark.parametrize(("status", "requests"), [(503, QUICK.tries), (404, 1), (403, 1)])
def test_a_mirror_that_refuses_is_left(fetch, cache_folder, status, requests):
    bad, good = Mirror(CONTENT, status=status), Mirror(CONTENT)
    check(fetch(bad, good), cache_folder)
    assert len(bad.starts) == requests


def test_a_stalled_mirror_is_left_and_the_next_one_goes_on(fetch, cache_folder):
    stalled, good = Mirror(CONTENT, stall_at=0.5), Mirror(CONTENT)
    check(fetch(stalled, good), cache_folder)
    assert stalled.starts == [0]
    assert good.starts[0] > 0.4 * BINARY.size


def test_a_slow_mirror_is_left_for_a_faster_one(fetch, cache_folder):
    slow, good = Mirror(CONTENT, rate=QUICK.fast / 4), Mirror(CONTENT)
    check(fetch(slow, good), cache_folder)
    assert slow.starts == [0]
    assert good.starts[0] > 0


def test_a_slow_mirror_serves_when_there_is_no_other(fetch, cache_folder):
    dead, slow = Mirror(CONTENT, status=404), Mirror(CONTENT, rate=QUICK.fast * 0.8)
    check(fetch(slow, dead), cache_folder)
    assert len(slow.starts) == 2  # left in the first round, continued in the second
    assert slow.starts[1] > 0


def test_a_trickle_is_not_waited_for(fetch, cache_folder):
    with pytest.raises(DataError, match="too slow"):
        fetch(Mirror(CONTENT, rate=QUICK.floor / 8))


def test_a_truncated_answer_is_completed(fetch, cache_folder):
    mirror = Mirror(CONTENT, end_at=0.5, faulty=1)
    check(fetch(mirror), cache_folder)
    assert len(mirror.starts) == 2


@pytest.mark.parametrize("length", [1000, BINARY.size - 1, BINARY.size + 1])
def test_another_length_than_the_official_one_is_refused(fetch, cache_folder, length):
    with pytest.raises(DataError, match=f"another file.*{length}"):
        fetch(Mirror(CONTENT, announced=length))
    assert list(cache_folder.iterdir()) == []


def test_wrong_bytes_are_thrown_away(fetch, cache_folder):
    wrong = bytes(BINARY.size)
    with pytest.raises(DataError, match="wrong SHA-256"):
        fetch(Mirror(wrong))
    assert list(cache_folder.iterdir()) == []
    check(fetch(Mirror(wrong), Mirror(CONTENT)), cache_folder)


def test_a_beginning_with_wrong_bytes_does_not_spoil_a_good_mirror(fetch, cache_folder):
    liar, good = Mirror(bytes(BINARY.size), stall_at=0.5), Mirror(CONTENT)
    check(fetch(liar, good), cache_folder)
    assert good.starts[0] > 0  # it went on with the wrong beginning,
    assert good.starts[1] == 0  # noticed, and began anew


@pytest.mark.parametrize("size", [BINARY.size, BINARY.size + 5000])
def test_a_part_file_of_unknown_origin_does_not_count(fetch, cache_folder, size):
    (cache_folder / f"{BINARY.name}.part").write_bytes(bytes(size))
    check(fetch(Mirror(CONTENT)), cache_folder)


def test_without_range_support_no_byte_is_lost_or_doubled(fetch, cache_folder):
    mirror = Mirror(CONTENT, ranges=False, reset_at=0.5, faulty=1)
    check(fetch(mirror), cache_folder)
    assert mirror.starts[1] > 0
    assert len(mirror.starts) == 2


def test_a_redirect_is_followed(fetch, server, cache_folder):
    target = Mirror(CONTENT)
    check(fetch(Mirror(b"", redirect=server.add(target))), cache_folder)
    assert target.starts == [0]


def test_a_redirect_in_circles_is_left(fetch, cache_folder):
    check(fetch(Mirror(b"", redirect="/0"), Mirror(CONTENT)), cache_folder)


def test_a_part_file_is_continued_by_a_mirror_of_the_same_archive_only(server, cache_folder):
    python = small_cifar.ARCHIVES["cifar-10-batches-py"]
    broken, good = Mirror(CONTENT, stall_at=0.5), Mirror(python)
    path = download.fetch([(BINARY, server.add(broken)), (PYTHON, server.add(good))], QUICK)
    assert path.read_bytes() == python
    assert good.starts == [0]


def test_when_all_fail_the_error_says_what_was_tried_and_the_three_ways_out(server, cache_folder):
    urls = [
        f"http://127.0.0.1:{free_port()}/refused",
        "http://no-such-host.invalid/",
        server.add(Mirror(CONTENT, status=503)),
        server.add(Mirror(CONTENT, stall_at=0.0)),
        server.add(Mirror(bytes(BINARY.size))),
    ]
    with pytest.raises(DataError) as caught:
        download.fetch([(BINARY, url) for url in urls], QUICK)
    message = str(caught.value)
    for expected in (*urls, "CIFAR10_DIR", str(cache_folder / BINARY.name), 'source="sample"'):
        assert expected in message


def test_a_port_that_never_answers_costs_no_more_than_the_limit(cache_folder):
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"http://127.0.0.1:{mute.getsockname()[1]}/"
        with pytest.raises(DataError, match="no answer"):
            download.fetch([(BINARY, url)], QUICK)


def load_elsewhere(url):
    """Start a process that loads the small CIFAR-10 from this mirror."""
    command = [sys.executable, "-m", "tests.support.small_cifar", url]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_killed_download_goes_on_where_it_stopped(server, cache_folder):
    mirror = Mirror(CONTENT, rate=1e6)
    url, part = server.add(mirror), cache_folder / f"{BINARY.name}.part"
    first = load_elsewhere(url)
    while download.size_of(part) < BINARY.size / 2:
        assert first.poll() is None, first.stderr.read()
        time.sleep(0.01)
    first.kill()  # SIGKILL: nothing can be tidied up
    first.wait()
    kept = download.size_of(part)

    second = load_elsewhere(url)
    output = second.communicate()
    assert second.returncode == 0, output
    assert mirror.starts == [0, kept]  # the rest, and not a byte more


def test_two_processes_download_once(server):
    mirror = Mirror(CONTENT, rate=1e6)
    url = server.add(mirror)
    processes = [load_elsewhere(url) for _ in range(2)]
    outputs = [process.communicate() for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outputs
    assert mirror.starts == [0]


def test_the_official_archives_come_from_the_source_too():
    hosts = [requests.utils.urlparse(url).netloc for _, url in download.MIRRORS]
    assert "www.cs.toronto.edu" in hosts
    assert all(url.startswith("https://") and url.endswith(archive.name) for archive, url in download.MIRRORS)
