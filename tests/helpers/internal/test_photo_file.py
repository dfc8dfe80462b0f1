"""Photos of every kind become the right pixels, or one line, within limits of time and memory."""

import io
import os
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageOps

from helpers.internal import photo_file
from helpers.predict import PhotoError, load_photo, open_photo, pictures_in

ORIENTATION = 0x0112
posix = pytest.mark.skipif(os.name == "nt", reason="needs a POSIX system")
RED, GREEN, BLUE, GREY = (255, 0, 0), (0, 255, 0), (0, 0, 255), (128, 128, 128)
COLOURED, GREYS = [RED, GREEN, BLUE, GREY], [(76,) * 3, (150,) * 3, (29,) * 3, GREY]


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


def near(found, expected, tolerance=3):
    return np.abs(np.subtract(found, expected, dtype=int)).max() <= tolerance


# What comes out

KINDS = {
    "JPEG": (quarters(), "JPEG", {"quality": 95}, COLOURED),
    "grey JPEG": (quarters("L"), "JPEG", {"quality": 95}, GREYS),
    "CMYK JPEG": (quarters("CMYK"), "JPEG", {"quality": 95}, COLOURED),
    "PNG with alpha": (quarters("RGBA"), "PNG", {}, COLOURED),
    "PNG with a palette": (quarters("P"), "PNG", {}, COLOURED),
    "GIF": (quarters("P"), "GIF", {}, COLOURED),
    "BMP": (quarters(), "BMP", {}, COLOURED),
    "WebP": (quarters(), "WEBP", {"quality": 95}, COLOURED),
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_picture_keeps_its_colours_and_places(kind):
    picture, format_name, options, expected = KINDS[kind]
    pixels = load_photo(encoded(picture, format_name, **options)).pixels
    assert (pixels.shape, pixels.dtype) == ((32, 32, 3), np.uint8)
    corners = [pixels[y, x] for y in (8, 24) for x in (8, 24)]
    assert near(corners, expected, 6 if kind in ("PNG with a palette", "GIF", "WebP") else 3)


def test_16_bit_grey_keeps_all_its_shades_and_a_transparent_one_is_white():
    ramp = np.tile(np.linspace(0, 65535, 32).astype("uint16"), (32, 1))
    plain, clear = (
        load_photo(encoded(Image.fromarray(ramp), "PNG", **options)).pixels[0, :, 0]
        for options in ({}, {"transparency": int(ramp[0, 1])})
    )
    np.testing.assert_array_equal(plain, ramp[0] >> 8)
    assert (clear[:3].tolist(), clear[3:].tolist()) == ([0, 255, plain[2]], plain[3:].tolist())


def test_transparent_parts_are_white_whatever_colour_hides_in_them():
    pixels = np.zeros((64, 64, 4), "uint8")
    pixels[..., 1] = 255  # green, but not to be seen
    pixels[:, 32:] = (200, 0, 0, 255)
    found = load_photo(encoded(Image.fromarray(pixels), "PNG")).pixels
    assert near(found[:, :12], 255)
    assert near(found[:, 20:], (200, 0, 0))
    assert (found[:, 15:17, 1] <= found[:, 15:17, 0]).all(), "no green edge"


def test_of_a_moving_picture_the_first_frame_counts():
    frames = [Image.new("RGB", (40, 40), colour) for colour in (RED, GREEN, BLUE)]
    content = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert near(load_photo(content).pixels, RED)


@pytest.mark.parametrize("number", range(1, 9))
def test_a_photo_is_turned_as_the_camera_was_held(number):
    stored = quarters(size=(96, 64))
    upright = open_photo(encoded(stored, "JPEG", quality=95, subsampling=0, exif=held(number)))
    stored.getexif()[ORIENTATION] = number
    expected = ImageOps.exif_transpose(stored)
    assert upright.size == expected.size
    assert near(upright, expected)


def test_a_photo_that_is_turned_reports_its_upright_size_and_square_and_has_a_copy_to_look_at():
    photo = load_photo(encoded(quarters(size=(1010, 640)), "JPEG", exif=held(6)))
    assert (photo.size, photo.crop, photo.copy.size) == ((640, 1010), (0, 185, 640, 825), (304, 480))
    damaged = encoded(quarters(size=(60, 40)), "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff")
    assert load_photo(damaged).size == (60, 40)


def test_a_jpeg_that_lacks_its_end_marker_alone_is_whole():
    content = encoded(quarters(), "JPEG", quality=95)
    assert open_photo(content[:-2]) == open_photo(content)


def test_the_middle_square_is_taken_and_nothing_beside_it_counts():
    wide = Image.new("RGB", (200, 100), BLUE)
    wide.paste(RED, (50, 0, 150, 100))
    for picture in (wide, wide.transpose(Image.Transpose.ROTATE_90)):
        assert (load_photo(encoded(picture, "PNG")).pixels == RED).all()


def test_every_pixel_of_the_square_counts():
    noise = np.random.default_rng(0).integers(0, 256, (800, 800), "uint8")
    found = load_photo(encoded(Image.fromarray(noise), "PNG", compress_level=0)).pixels
    assert found.std() < 8
    assert abs(found.mean() - noise.mean()) < 1


def test_small_and_narrow_pictures_are_photos_too():
    for size in ((1, 1), (1, 9000), (9000, 1)):
        photo = load_photo(encoded(Image.new("RGB", size, GREEN), "PNG"))
        assert (photo.pixels == GREEN).all()
        assert photo.size == size


def test_the_pictures_of_a_folder_are_sorted_and_those_that_are_not_read_among_them(tmp_path, monkeypatch):
    for name in ("b.PNG", "a.jfif", ".hidden.jpg", "notes.txt", "c.gif", "d.HEIC", "e.jp2", "f.json"):
        (tmp_path / name).write_bytes(encoded(quarters(), "BMP"))
    (tmp_path / "folder.png").mkdir()
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(tmp_path))
    assert [path.name for path in pictures_in("~")] == ["a.jfif", "b.PNG", "c.gif", "d.HEIC", "e.jp2"]
    assert pictures_in("~/folder.png") == pictures_in("~/none") == []
    assert load_photo("~/b.PNG").size == (64, 64)


# What is refused


def chunk(kind, content=b""):
    check = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + check


def png(width=8, height=8, more=b"") -> bytes:
    """Return a grey PNG that says that it has this size, with the pixels of one of 8 x 8, and more chunks."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + more + chunk(b"IDAT", zlib.compress(bytes(72))) + chunk(b"IEND")


def jpeg(parts=b"", scans=0) -> bytes:
    """Return a progressive JPEG with more parts at its beginning, and its last scan so many times more."""
    content = encoded(quarters(), "JPEG", progressive=True)
    last = content[content.rindex(b"\xff\xda") : -2]
    return content[:2] + parts + content[2:-2] + scans * last + content[-2:]


EXIF = b"\xff\xe1\x00\x22Exif\0\0MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0"  # held on its side


REFUSED = {
    "a bomb": (png(50_000, 50_000), "exceeds limit of .* pixels"),  # Pillow's own
    "28 million pixels": (png(8_000, 3_500), "8000 x 3500 pixels, make it smaller first"),
    "a long side": (png(1, 30_000), "1 x 30000 pixels, make it smaller first"),
    "many scans": (jpeg(scans=100), "too many scans"),
    "many parts": (jpeg(20_000 * b"\xff\xfe\x00\x02"), "too many parts"),
    "many chunks": (png(more=10_000 * chunk(b"abCd")), "too many parts"),
    "a comment": (encoded(quarters("P"), "GIF", comment=4_000_000 * b"c"), "too many parts"),
    "a letter": (b"Dear reader, this is a letter.", "it is no JPEG, PNG"),
    "EPS": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "it is no JPEG, PNG"),
    "HEIC": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "export it as JPEG"),
    "half a PNG": (encoded(quarters(), "PNG")[:-40], "it cannot be read: "),
    "half a JPEG": (encoded(quarters(), "JPEG")[:-40], "it cannot be read: image file is truncated"),
    "half a WebP": (encoded(quarters(), "WEBP")[:-40], "it cannot be read: "),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_whole_picture_or_would_take_minutes_or_gigabytes_is_refused_in_one_line(kind):
    content, words = REFUSED[kind]
    with pytest.raises(PhotoError, match=words) as error:
        load_photo(content)
    assert str(error.value).isprintable()


def test_a_film_behind_a_photo_and_some_parts_more_are_no_obstacle():
    film = np.random.default_rng(0).bytes(2**23)  # as telephones put it behind a photo
    for whole in (jpeg(EXIF, scans=50), jpeg() + film, png(more=1000 * chunk(b"abCd"))):
        assert load_photo(whole)


def test_of_several_notes_the_first_is_read(monkeypatch):
    picture = Image.new("RGB", (16, 8))
    content = encoded(picture, "JPEG")
    joined = []
    monkeypatch.setattr(ImageOps, "exif_transpose", lambda photo, **_: joined.append(photo.info["exif"]))
    load_photo(content[:2] + 3 * EXIF + content[2:])
    assert joined == [EXIF[4:]]


def test_long_notes_are_not_read(monkeypatch):
    monkeypatch.setattr(ImageOps, "exif_transpose", lambda *_, **__: pytest.fail("they were read"))
    text = chunk(b"tEXt", b"Raw profile type exif\0" + 70_000 * b"0")
    for notes in (chunk(b"eXIf", b"MM" + bytes(70_000)), text):
        assert load_photo(png(more=notes)).size == (8, 8)


def test_what_is_neither_a_path_nor_bytes_is_no_fault_of_the_photo():
    for source in (np.zeros((8, 8, 3), "uint8"), quarters(), None, [b"x"]):
        with pytest.raises(TypeError, match=f"not as {type(source).__name__}"):
            load_photo(source)


def test_a_jpeg_may_have_twice_as_many_pixels_as_others_which_take_more_memory(monkeypatch):
    assert photo_file.MAX_PIXELS > 48e6, "as many as telephones have"
    monkeypatch.setattr(photo_file, "MAX_PIXELS", 64 * 64)
    assert load_photo(encoded(quarters(), "JPEG")).size == (64, 64)
    for kind in ("PNG", "WEBP", "GIF", "BMP"):
        with pytest.raises(PhotoError, match="64 x 64 pixels, make it smaller first"):
            load_photo(encoded(quarters(), kind))


@posix
def test_what_is_no_file_or_would_never_end_is_not_read(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    for source in (tmp_path / "none.jpg", tmp_path, "a\0b", tmp_path / "pipe.jpg", "/dev/zero"):
        with pytest.raises(PhotoError, match="expected a file, or a folder with pictures in it"):
            load_photo(source)


def test_a_file_larger_than_allowed_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(photo_file, "MAX_PHOTO_BYTES", 1000)
    quarters().save(path := tmp_path / "large.bmp")
    for source in (path, path.read_bytes()):
        with pytest.raises(PhotoError, match="it is larger than"):
            load_photo(source)


def test_damaged_photos_become_a_photo_or_a_line():
    chance, refused = np.random.default_rng(0), []
    for number in range(100):
        picture, kind, options, _ = list(KINDS.values())[number % len(KINDS)]
        content = bytearray(encoded(picture, kind, **options))
        for place in chance.integers(60 if number % 2 else len(content), size=3):
            content[place] ^= 1 << chance.integers(8)
        try:
            assert load_photo(bytes(content)).pixels.shape == (32, 32, 3)
        except PhotoError as error:
            refused.append(str(error))
    assert 10 < len(refused) < 90
    assert all(line.isprintable() for line in refused)
