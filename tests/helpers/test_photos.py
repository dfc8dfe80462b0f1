"""Photos of every kind become the right 32 x 32 pixels, and damaged or hostile files a line of text.

The fuzz makes damaged files of many kinds from a seed. A few hundred are tried; `FUZZ=10000` in the
environment tries that many.
"""

import faulthandler
import io
import json
import os
import random
import struct
import subprocess
import sys
import time
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from helpers import photos
from helpers.photos import PhotoError, load_photo, open_picture, pictures_in

ROOT = Path(__file__).resolve().parents[2]
FUZZ = int(os.environ.get("FUZZ", "300"))
GIGABYTE = 2**30
ORIENTATION = 0x0112
posix = pytest.mark.skipif(os.name == "nt", reason="needs a POSIX file system")
RED, GREEN, BLUE, GREY = (255, 0, 0), (0, 255, 0), (0, 0, 255), (128, 128, 128)


def quarters(mode="RGB", size=(64, 64)):
    """Return a picture of four colours: red, green above blue, grey."""
    picture = Image.new("RGB", size, RED)
    middle = (size[0] // 2, size[1] // 2)
    picture.paste(GREEN, (middle[0], 0, size[0], middle[1]))
    picture.paste(BLUE, (0, middle[1], middle[0], size[1]))
    picture.paste(GREY, (*middle, *size))
    return picture.convert(mode)


def encoded(picture, kind, **options) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def held(number) -> Image.Exif:
    exif = Image.Exif()
    exif[ORIENTATION] = number
    return exif


def corners(pixels):
    """Return the colours in the middle of the four quarters."""
    return [tuple(int(value) for value in pixels[y, x]) for y in (8, 24) for x in (8, 24)]


def near(found, expected, tolerance=3):
    return np.abs(np.subtract(found, expected)).max() <= tolerance


# What comes out

COLOURED = [RED, GREEN, BLUE, GREY]
GREYS = [(76,) * 3, (150,) * 3, (29,) * 3, GREY]
KINDS = {
    "JPEG": (quarters(), "JPEG", {"quality": 95}, COLOURED),
    "progressive JPEG": (quarters(), "JPEG", {"quality": 95, "progressive": True}, COLOURED),
    "grey JPEG": (quarters("L"), "JPEG", {"quality": 95}, GREYS),
    "CMYK JPEG": (quarters("CMYK"), "JPEG", {"quality": 95}, COLOURED),
    "PNG": (quarters(), "PNG", {}, COLOURED),
    "PNG with alpha": (quarters("RGBA"), "PNG", {}, COLOURED),
    "PNG with a palette": (quarters("P"), "PNG", {}, COLOURED),
    "grey PNG": (quarters("L"), "PNG", {}, GREYS),
    "grey PNG with alpha": (quarters("LA"), "PNG", {}, GREYS),
    "GIF": (quarters("P"), "GIF", {}, COLOURED),
    "BMP": (quarters(), "BMP", {}, COLOURED),
    "WebP": (quarters(), "WEBP", {"quality": 95}, COLOURED),
    "WebP with alpha": (quarters("RGBA"), "WEBP", {"lossless": True}, COLOURED),
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_picture_keeps_its_colours_and_places(kind):
    picture, format_name, options, expected = KINDS[kind]
    photo = load_photo(encoded(picture, format_name, **options))
    assert photo.pixels.shape == (32, 32, 3)
    assert photo.pixels.dtype == np.uint8
    tolerance = 6 if kind in ("PNG with a palette", "GIF", "WebP") else 3
    assert near(corners(photo.pixels), expected, tolerance)


def test_16_bit_grey_keeps_all_its_shades():
    ramp = np.tile(np.linspace(0, 65535, 32).astype("uint16"), (32, 1))
    photo = load_photo(encoded(Image.fromarray(ramp), "PNG"))
    np.testing.assert_array_equal(photo.pixels[0, :, 0], ramp[0] >> 8)


def test_black_and_white_becomes_grey_where_it_is_mixed():
    checks = np.indices((320, 320)).sum(axis=0) % 2 == 1
    photo = load_photo(encoded(Image.fromarray(checks), "PNG"))
    assert near(photo.pixels, 127, 2)


def test_transparent_parts_are_white_whatever_colour_hides_in_them():
    pixels = np.zeros((64, 64, 4), "uint8")
    pixels[..., 1] = 255  # green, but not to be seen
    pixels[:, 32:] = (200, 0, 0, 255)
    for kind in ("PNG", "WEBP"):
        found = load_photo(encoded(Image.fromarray(pixels), kind, lossless=True)).pixels
        assert near(found[:, :12], 255)
        assert near(found[:, 20:], (200, 0, 0))
        assert (found[:, 15:17, 1] <= found[:, 15:17, 0]).all(), "no green edge"


@pytest.mark.parametrize("kind", ["PNG", "GIF"])
def test_a_transparent_colour_of_a_palette_is_white(kind):
    picture = Image.new("P", (40, 40), 0)
    picture.putpalette([0, 255, 0, 255, 0, 0])
    picture.paste(1, (20, 0, 40, 40))
    found = load_photo(encoded(picture, kind, transparency=0)).pixels
    assert found[16, 4].tolist() == [255, 255, 255]
    assert found[16, 28].tolist() == [255, 0, 0]


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_of_a_moving_picture_the_first_frame_counts(kind):
    frames = [Image.new("RGB", (40, 40), colour) for colour in (RED, GREEN, BLUE)]
    content = encoded(frames[0], kind, save_all=True, append_images=frames[1:], lossless=True)
    assert near(load_photo(content).pixels, RED)


@pytest.mark.parametrize("number", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_photo_is_turned_as_the_camera_was_held(kind, number):
    stored = quarters(size=(96, 64))
    options = {"quality": 95, "subsampling": 0, "lossless": True, "exif": held(number)}
    upright, size = open_picture(encoded(stored, kind, **options))
    marked = stored.copy()
    marked.getexif()[ORIENTATION] = number
    expected = ImageOps.exif_transpose(marked)
    assert size == upright.size == expected.size
    assert near(np.asarray(upright, int), np.asarray(expected, int), 3)


def test_a_photo_that_is_turned_reports_its_upright_size_and_square():
    photo = load_photo(encoded(quarters(size=(101, 64)), "JPEG", exif=held(6)))
    assert photo.size == (64, 101)
    assert photo.crop == (0, 18, 64, 82)


@pytest.mark.parametrize(
    "exif", [b"", b"Exif\0\0", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff", b"Exif\0\0" + b"x" * 900]
)
def test_damaged_notes_leave_a_photo_upright(exif):
    assert load_photo(encoded(quarters(), "JPEG", exif=exif)).size == (64, 64)


def test_the_middle_square_is_taken():
    wide = Image.new("RGB", (200, 100), BLUE)
    wide.paste(RED, (50, 0, 150, 100))
    for picture in (wide, wide.transpose(Image.Transpose.ROTATE_90)):
        assert (load_photo(encoded(picture, "PNG")).pixels == RED).all()


def test_every_pixel_of_the_square_counts():
    noise = np.random.default_rng(0).integers(0, 256, (1600, 1600), "uint8")
    found = load_photo(encoded(Image.fromarray(noise), "PNG", compress_level=0)).pixels
    assert found.std() < 4
    assert abs(found.mean() - noise.mean()) < 1


@pytest.mark.parametrize("kind", ["JPEG", "BMP"])
def test_a_large_photo_gives_what_resizing_it_at_once_gives(kind):
    waves = np.sin(np.arange(1200) / 90)[:, None] * np.cos(np.arange(1801) / 70)
    pixels = np.stack([127 + 100 * waves, 127 - 60 * waves, 127 + 0 * waves], axis=-1).astype("uint8")
    picture = Image.fromarray(pixels)
    at_once = picture.crop((300, 0, 1500, 1200)).resize((32, 32), Image.Resampling.BICUBIC)
    found = load_photo(encoded(picture, kind))
    assert np.abs(found.pixels.astype(int) - np.asarray(at_once)).mean() < 1
    assert (found.size, found.crop) == ((1801, 1200), (300, 0, 1500, 1200))
    assert min(open_picture(encoded(picture, kind))[0].size) == photos.KEPT


@pytest.mark.parametrize("size", [(1, 1), (1, 9000), (9000, 1), (33, 31)])
def test_small_and_narrow_pictures_are_photos_too(size):
    photo = load_photo(encoded(Image.new("RGB", size, GREEN), "PNG"))
    assert (photo.pixels == GREEN).all()
    assert photo.size == size


def test_a_photo_may_come_as_a_path_as_bytes_or_as_an_open_file(tmp_path):
    path = tmp_path / "a b.png"
    quarters().save(path)
    content = path.read_bytes()
    with path.open("rb") as file:
        loaded = [load_photo(source) for source in (path, str(path), content, memoryview(content), file)]
    assert [photo.name for photo in loaded] == [str(path)] * 2 + ["photo"] * 3
    assert load_photo(content, "mine").name == "mine"
    for photo in loaded:
        np.testing.assert_array_equal(photo.pixels, loaded[0].pixels)


def test_the_pictures_of_a_folder_are_sorted_and_nothing_else_is_taken(tmp_path):
    for name in ("b.PNG", "a.jpeg", ".hidden.jpg", "notes.txt", "c.gif"):
        (tmp_path / name).touch()
    (tmp_path / "folder.png").mkdir()
    assert [path.name for path in pictures_in(tmp_path)] == ["a.jpeg", "b.PNG", "c.gif"]
    assert pictures_in(tmp_path / "folder.png") == []
    assert pictures_in(tmp_path / "none") == []


# What is refused


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width, height, before=b"") -> bytes:
    """Return a grey PNG that says that it has this size, with the pixels of one of 8 x 8."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(bytes(72)))
    return b"\x89PNG\r\n\x1a\n" + header + before + pixels + chunk(b"IEND", b"")


def gif(before=b"", size=(8, 8)) -> bytes:
    """Return a GIF with something before its first frame."""
    content = encoded(Image.new("L", (8, 8), 200), "GIF")
    start = 13 + 3 * (2 << (content[10] & 7))
    return content[:6] + struct.pack("<HH", *size) + content[10:start] + before + content[start:]


def webp_canvas(width, height) -> bytes:
    """Return the beginning of a WebP that says that it has this size."""
    body = b"VP8X" + struct.pack("<I", 10) + b"\x12\0\0\0"
    body += (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def bmp(width, height) -> bytes:
    content = encoded(Image.new("L", (8, 8)), "BMP")
    return content[:18] + struct.pack("<ii", width, height) + content[26:]


def jpeg_header(width, height) -> bytes:
    content = encoded(Image.new("L", (8, 8)), "JPEG")
    at = content.index(b"\xff\xc0") + 5
    return content[:at] + struct.pack(">HH", height, width) + content[at + 4 :]


def jpeg_with(segment: bytes, side=64, **options) -> bytes:
    content = encoded(quarters(size=(side, side)), "JPEG", **options)
    return content[:2] + segment + content[2:]


def exif_segment(content: bytes) -> bytes:
    return b"\xff\xe1" + struct.pack(">H", len(content) + 8) + b"Exif\0\0" + content


def overlapping_exif() -> bytes:
    """Return Exif notes whose 5,000 entries all name the same 65,000 bytes."""
    entries = b"".join(struct.pack(">HHII", 1000 + i, 7, 65_000, 8) for i in range(5000))
    return (b"MM\0*\0\0\0\x08" + struct.pack(">H", 5000) + entries).ljust(65_100, b"x")


def many_scans(side, count) -> bytes:
    """Return a progressive JPEG whose last, almost empty scan comes again and again."""
    content = encoded(Image.new("RGB", (side, side), RED), "JPEG", progressive=True)
    return content[:-2] + content[content.rindex(b"\xff\xda") : -2] * count + content[-2:]


HUGE = {
    "PNG": png(50_000, 50_000),
    "PNG of 31 million pixels": png(6_200, 5_000),
    "GIF": gif(size=(65_535, 65_535)),
    "WebP": webp_canvas(2**24, 2**24),
    "BMP": bmp(2**31 - 1, 2**31 - 1),
    "BMP from the top": bmp(60_000, -60_000),
    "JPEG": jpeg_header(65_535, 65_535),
    "JPEG of 51 million pixels": jpeg_header(8_500, 6_000),
}


@pytest.mark.parametrize("kind", HUGE)
def test_more_pixels_than_allowed_are_refused_before_they_are_decoded(kind):
    with pytest.raises(PhotoError, match="too many pixels|could not create decoder"):
        load_photo(HUGE[kind])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "it is empty"),
        (b"\0", "this is no JPEG, PNG, GIF, WebP or BMP picture"),
        (b"\0" * 5000, "this is no JPEG, PNG"),
        (b"Dear reader, this is a letter.", "this is no JPEG, PNG"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "this is no JPEG, PNG"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "this is no JPEG, PNG"),
        (encoded(quarters(), "TIFF"), "this is no JPEG, PNG"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "this is HEIC, AVIF or a video: export it as JPEG first"),
        (encoded(quarters(), "PNG")[:-40], "damaged or cut off"),
        (encoded(quarters(), "JPEG")[:-40], "damaged or cut off"),
        (encoded(quarters(), "JPEG")[:200], "its header does not lead to its pixels"),
        (encoded(quarters(), "WEBP")[:-40], "damaged or cut off"),
        (encoded(quarters(), "BMP")[:-40], "damaged or cut off"),
    ],
)
def test_what_is_no_picture_or_not_a_whole_one_is_said_in_one_line(content, words):
    with pytest.raises(PhotoError, match=words) as error:
        load_photo(content)
    assert "\n" not in str(error.value)


def test_what_is_no_file_is_said_in_one_line(tmp_path):
    for source, words in (
        (tmp_path / "none.jpg", "it cannot be read: No such file"),
        (tmp_path, "expected a picture, or a folder with pictures in it"),
        ("a\0b", "it cannot be read"),
    ):
        with pytest.raises(PhotoError, match=words):
            load_photo(source)


@posix
def test_what_would_never_end_is_not_read(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    for source in (tmp_path / "pipe.jpg", "/dev/zero"):
        with pytest.raises(PhotoError, match="this is a pipe or a device"):
            load_photo(source)


@posix
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_said_in_one_line(tmp_path):
    (tmp_path / "secret.png").touch(mode=0)
    with pytest.raises(PhotoError, match="Permission denied"):
        load_photo(tmp_path / "secret.png")


def test_a_file_larger_than_allowed_is_not_read_to_its_end(tmp_path, monkeypatch):
    monkeypatch.setattr(photos, "MAX_BYTES", 1000)
    path = tmp_path / "large.bmp"
    quarters().save(path)
    with path.open("rb") as file:
        for source in (path, path.read_bytes(), file):
            with pytest.raises(PhotoError, match="it is larger than"):
                load_photo(source)
        assert file.tell() <= 12_000


@pytest.mark.parametrize(("width", "height"), [(8064, 6048), (6048, 8064)])
def test_a_photo_of_48_megapixels_is_not_too_large(width, height):
    with pytest.raises(PhotoError, match="damaged or cut off"):  # for it has the pixels of 8 x 8
        load_photo(jpeg_header(width, height)[:-2])


# Files that would take minutes or the whole memory: each is small, and Pillow alone would try.
SLOW = {
    "PNG of chunks": (png(8, 8, chunk(b"aaAa", b"") * 300_000), "too many pieces"),
    "PNG of empty pixel chunks": (png(8, 8, chunk(b"IDAT", b"") * 300_000), "too many pieces"),
    "GIF of blocks": (gif(b"!\x01" + b"\x01a" * 300_000 + b"\0"), "too many pieces"),
    "GIF of extensions": (gif(b"!\x01\x01a\0" * 100_000), "too many pieces"),
    "JPEG of comments": (jpeg_with(b"\xff\xfe\0\2" * 300_000), "does not lead to its pixels"),
    "JPEG of fill bytes": (jpeg_with(b"\xff" * 300_000), "does not lead to its pixels"),
    "JPEG of scans": (many_scans(500, 30_000), "takes too long at this size"),
}


@pytest.mark.parametrize("kind", SLOW)
def test_files_that_keep_the_processor_busy_are_refused(kind):
    content, words = SLOW[kind]
    with pytest.raises(PhotoError, match=words):
        load_photo(content)


@pytest.mark.parametrize(
    "content",
    [
        jpeg_with(exif_segment(b"x" * 65_000) * 100),
        jpeg_with(exif_segment(overlapping_exif())),
        png(8, 8, chunk(b"eXIf", overlapping_exif() * 20)),
        gif(b"!\xfe" + (b"\xff" + b"a" * 255) * 2000 + b"\0"),
    ],
    ids=["many Exif blocks", "Exif of overlaps", "large Exif", "long comment"],
)
def test_notes_that_fill_the_memory_are_left_out(content):
    tracemalloc.start()
    assert load_photo(content).pixels.shape == (32, 32, 3)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50_000_000


def test_a_photo_with_a_film_behind_it_is_a_photo():
    film = random.Random(0).randbytes(2_000_000)
    assert film.count(b"\xff\xda") > 10
    assert near(corners(load_photo(encoded(quarters(), "JPEG", quality=95) + film).pixels), COLOURED)


# Fuzz

WHOLE = {kind: encoded(picture, name, **options) for kind, (picture, name, options, _) in KINDS.items()}
WHOLE |= {
    "turned JPEG": encoded(quarters(), "JPEG", exif=held(6)),
    "16-bit PNG": encoded(Image.fromarray(np.full((40, 40), 9000, "uint16")), "PNG"),
    "moving GIF": encoded(quarters("P"), "GIF", save_all=True, append_images=[quarters("P").rotate(90)] * 9),
    "moving WebP": encoded(quarters(), "WEBP", save_all=True, append_images=[quarters().rotate(90)] * 9),
    "PNG with notes": png(8, 8, chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(900_000))) * 3),
}
SUFFIXES = (*photos.SUFFIXES, ".tif", ".txt", ".keras", "")


def cut_off(chance, content):
    return content[: chance.randrange(len(content))]


def flip_bits(chance, content):
    flipped = bytearray(content)
    for _ in range(chance.choice((1, 3, 30))):
        flipped[chance.randrange(len(flipped))] ^= 1 << chance.randrange(8)
    return bytes(flipped)


def damage_header(chance, content):
    """Change bytes where sizes and kinds are written."""
    damaged = bytearray(content)
    for _ in range(chance.choice((1, 2, 5))):
        damaged[chance.randrange(min(60, len(damaged)))] = chance.choice((0, 1, 127, 128, 255))
    return bytes(damaged)


def overwrite(chance, content):
    start, length = chance.randrange(len(content)), chance.randrange(1, 200)
    filling = chance.choice((bytes(length), b"\xff" * length, chance.randbytes(length)))
    return content[:start] + filling + content[start + length :]


def take_out(chance, content):
    start = chance.randrange(len(content))
    return content[:start] + content[start + chance.randrange(1, 100) :]


def repeat(chance, content):
    start = chance.randrange(len(content))
    end = start + chance.randrange(1, 200)
    return content[:end] + content[start:end] * chance.choice((1, 10, 500)) + content[end:]


def splice(chance, content):
    other = chance.choice(list(WHOLE.values()))
    return content[: chance.randrange(len(content))] + other[chance.randrange(len(other)) :]


def bomb(chance, _):
    return chance.choice([*HUGE.values(), png(chance.randrange(2**32), chance.randrange(2**32))])


def slow(chance, _):
    count = chance.choice((1, 100, 20_000))
    return chance.choice(
        (
            png(8, 8, chunk(b"aaAa", b"") * count),
            png(8, 8, chunk(b"fcTL", bytes(26)) * count),
            gif(b"!\x01" + b"\x01a" * count + b"\0"),
            gif() + gif()[13:] * (count // 100),  # frames without an end
            jpeg_with(b"\xff\xfe\0\2" * count),
            jpeg_with(exif_segment(overlapping_exif()) * (count // 1000)),
            many_scans(64, count),
        )
    )


def no_picture(chance, _):
    beginnings = (
        b"",
        b"PK\x03\x04",
        b"GIF89a",
        b"\xff\xd8\xff",
        b"\x89PNG\r\n\x1a\n",
        b"BM",
        b"RIFF....WEBPVP8 ",
    )
    return chance.choice(beginnings) + chance.randbytes(chance.choice((0, 1, 20, 3000)))


def letter(chance, _):
    return chance.choice(
        (b"", b"\0", b"{}", b"hello\n" * 50, b"<html>" * 9, "Gr\u00fc\u00dfe".encode("utf-16"))
    )


DAMAGES = (
    cut_off,
    flip_bits,
    damage_header,
    overwrite,
    take_out,
    repeat,
    splice,
    bomb,
    slow,
    no_picture,
    letter,
)


def damaged_file(folder: Path, number: int, seed: int = 0) -> Path:
    """Make file `number` of a seed and return its path; some are folders, pipes, links or secret."""
    chance = random.Random(f"{seed}-{number}")
    path = folder / f"{number:05d}{chance.choice(SUFFIXES)}"
    strange = number % 40
    if strange == 0:
        path.mkdir()
    elif strange == 1 and os.name != "nt":
        os.mkfifo(path)
    elif strange == 2 and os.name != "nt":
        path.symlink_to(folder / chance.choice(("nowhere", path.name)))
    elif strange == 3 and os.name != "nt":
        path.write_bytes(chance.choice(list(WHOLE.values())))  # whole, its suffix perhaps wrong
        path.chmod(0)
    elif strange == 4 and sys.platform == "linux":
        path = folder / f"{number}\n\x1b[31m\udcff{path.suffix}"
        path.write_bytes(letter(chance, b""))
    else:
        damage = DAMAGES[number % len(DAMAGES)]
        path.write_bytes(damage(chance, chance.choice(list(WHOLE.values()))))
    return path


def memory_peak() -> int:
    """Return the bytes of memory that this process had at most; 0 where the system does not say."""
    status = Path("/proc/self/status")
    return 1024 * int(status.read_text().split("VmHWM:")[1].split()[0]) if status.exists() else 0


def try_all(folder: Path, count: int, seed: int = 0) -> dict:
    """Load damaged files one after the other, and return what came of it; stop at one that hangs."""
    photos_found, messages, slowest = 0, [], (0.0, "")
    for number in range(count):
        path = damaged_file(folder, number, seed)
        faulthandler.dump_traceback_later(60, exit=True)
        started = time.process_time()
        try:
            pixels = load_photo(path).pixels
            assert (pixels.shape, pixels.dtype) == ((32, 32, 3), np.uint8)
            photos_found += 1
        except PhotoError as error:
            messages.append(str(error))
        slowest = max(slowest, (time.process_time() - started, path.name))
        faulthandler.cancel_dump_traceback_later()
        if not path.is_dir():
            path.unlink()
    assert all(message.isprintable() and len(message) < 200 for message in messages)
    return {"photos": photos_found, "refused": len(messages), "slowest": slowest, "peak": memory_peak()}


def test_damaged_files_become_a_photo_or_a_line_within_a_gigabyte(tmp_path):
    child = subprocess.run(
        [sys.executable, "-m", "tests.test_photos", tmp_path, str(FUZZ)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (child.returncode, child.stderr) == (0, "")
    outcomes = json.loads(child.stdout)
    print(outcomes)
    assert outcomes["photos"] > 0
    assert outcomes["refused"] > FUZZ / 4
    assert outcomes["peak"] < GIGABYTE


def test_the_same_seed_makes_the_same_files(tmp_path):
    folders = tmp_path / "a", tmp_path / "b"
    for folder in folders:
        folder.mkdir()
    for number in range(5, 40):
        first, second = (damaged_file(folder, number) for folder in folders)
        assert first.name == second.name
        assert first.read_bytes() == second.read_bytes()


if __name__ == "__main__":  # the child of the fuzz: with twice the memory allowed, so that a peak is seen
    if sys.platform == "linux":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (2 * GIGABYTE, 2 * GIGABYTE))
    print(json.dumps(try_all(Path(sys.argv[1]), int(sys.argv[2]))))
