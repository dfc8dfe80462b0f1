"""Photos of every kind become the right 32 x 32 pixels or a line; the command says what is in them."""

import io
import json
import os
import struct
import subprocess
import sys
import zlib

import keras
import numpy as np
import pytest
from PIL import Image, ImageOps
from scipy.special import softmax

from helpers import predict
from helpers.data import CLASS_NAMES
from helpers.internal.files import ROOT
from helpers.models import vgg
from helpers.predict import ModelError, PhotoError, load_model, load_photo, main, open_photo, pictures_in

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


def test_16_bit_grey_keeps_all_its_shades():
    ramp = np.tile(np.linspace(0, 65535, 32).astype("uint16"), (32, 1))
    plain = load_photo(encoded(Image.fromarray(ramp), "PNG")).pixels
    np.testing.assert_array_equal(plain[0, :, 0], ramp[0] >> 8)


def test_a_transparent_shade_of_16_bit_grey_is_white():
    shades = np.full((32, 32), 1000, "uint16")
    shades[:, 16:] = 40_000
    found = load_photo(encoded(Image.fromarray(shades), "PNG", transparency=1000)).pixels
    assert found[5, [2, 30], 0].tolist() == [255, 40_000 >> 8]


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
    assert (photo.size, photo.crop) == ((640, 1010), (0, 185, 640, 825))
    assert photo.copy.size == (304, 480)


def test_damaged_notes_leave_a_photo_upright():
    content = encoded(quarters(size=(60, 40)), "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff")
    assert load_photo(content).size == (60, 40)


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


@pytest.mark.parametrize("size", [(1, 1), (1, 9000), (9000, 1)])
def test_small_and_narrow_pictures_are_photos_too(size):
    photo = load_photo(encoded(Image.new("RGB", size, GREEN), "PNG"))
    assert (photo.pixels == GREEN).all()
    assert photo.size == size


def test_the_pictures_of_a_folder_are_sorted_and_those_that_are_not_read_are_among_them(tmp_path):
    for name in ("b.PNG", "a.jpeg", ".hidden.jpg", "notes.txt", "c.gif", "d.HEIC"):
        (tmp_path / name).touch()
    (tmp_path / "folder.png").mkdir()
    assert [path.name for path in pictures_in(tmp_path)] == ["a.jpeg", "b.PNG", "c.gif", "d.HEIC"]
    assert pictures_in(tmp_path / "folder.png") == pictures_in(tmp_path / "none") == []


# What is refused


def png(width, height) -> bytes:
    """Return a grey PNG that says that it has this size, with the pixels of one of 8 x 8."""

    def chunk(kind, content):
        check = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + check

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(72))) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (png(50_000, 50_000), "exceeds limit of .* pixels"),  # Pillow's own
        (png(8_000, 6_500), "8000 x 6500 pixels, make it smaller first"),
        (png(1, 30_000), "1 x 30000 pixels, make it smaller first"),
    ],
    ids=["bomb", "52 million", "side"],
)
def test_more_pixels_than_allowed_are_refused_before_they_are_decoded(content, words, monkeypatch):
    monkeypatch.setattr(predict, "on_white", None)
    with pytest.raises(PhotoError, match=words):
        load_photo(content)


def test_a_photo_of_48_megapixels_is_not_too_large():
    with pytest.raises(PhotoError, match="truncated"):  # for it has the pixels of 8 x 8
        load_photo(png(8064, 6048))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"Dear reader, this is a letter.", "it is no JPEG, PNG"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "it is no JPEG, PNG"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "export it as JPEG"),
        (encoded(quarters(), "PNG")[:-40], "it cannot be read: "),
        (encoded(quarters(), "JPEG")[:-40], "it cannot be read: image file is truncated"),
        (encoded(quarters(), "WEBP")[:-40], "it cannot be read: "),
    ],
)
def test_what_is_no_picture_or_not_a_whole_one_is_said_in_one_line(content, words):
    with pytest.raises(PhotoError, match=words) as error:
        load_photo(content)
    assert str(error.value).isprintable()


@posix
def test_what_is_no_file_or_would_never_end_is_not_read(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    for source in (tmp_path / "none.jpg", tmp_path, "a\0b", tmp_path / "pipe.jpg", "/dev/zero"):
        with pytest.raises(PhotoError, match="expected a file, or a folder with pictures in it"):
            load_photo(source)


def test_a_file_larger_than_allowed_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(predict, "MAX_PHOTO_BYTES", 1000)
    quarters().save(path := tmp_path / "large.bmp")
    for source in (path, path.read_bytes()):
        with pytest.raises(PhotoError, match="it is larger than"):
            load_photo(source)
    assert len(predict.content_of(png(8, 8))) < 1000


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


# The command


@pytest.fixture(scope="module")
def model_path(tmp_path_factory):
    keras.utils.set_random_seed(0)
    path = tmp_path_factory.mktemp("model") / "tiny.keras"
    vgg(1, width=2, dense_units=8).save(path)
    return path


@pytest.fixture(scope="module")
def model(model_path):
    return load_model(model_path)


@pytest.fixture
def album(tmp_path):
    """A folder with two pictures of noise and a text."""
    folder = tmp_path / "album"
    folder.mkdir()
    for seed, name in enumerate(("a.png", "b.jpg")):
        noise = np.random.default_rng(seed).integers(0, 256, (40 + seed, 60, 3), "uint8")
        Image.fromarray(noise).save(folder / name)
    (folder / "notes.txt").write_text("no picture")
    return folder


@pytest.fixture
def command(model, model_path, capsys, monkeypatch):
    """Run the command; return its exit status, its lines, and its lines on standard error."""
    monkeypatch.setattr(predict, "load_model", lambda path: model)

    def run(*arguments, model=model_path):
        status = main([*map(str, arguments), "--model", str(model)])
        captured = capsys.readouterr()
        return status, captured.out.splitlines(), captured.err.splitlines()

    return run


def test_guesses_are_the_most_probable_classes_of_the_models_own_logits(model, album):
    photos = [load_photo(path) for path in pictures_in(album)]
    expected = softmax(model.predict(np.stack([photo.pixels for photo in photos]), verbose=0), axis=1)
    for row, guesses in zip(expected, predict.guesses(model, photos), strict=True):
        assert [name for name, _ in guesses] == [CLASS_NAMES[label] for label in np.argsort(-row)[:3]]
        np.testing.assert_allclose([share for _, share in guesses], np.sort(row)[::-1][:3], rtol=1e-5)


def test_a_network_that_ends_in_a_softmax_is_not_given_a_second_one():
    shares = np.random.default_rng(0).dirichlet(np.ones(10), 3)
    found = predict.probabilities(lambda images, training: shares, np.zeros((3, 32, 32, 3), "uint8"))
    np.testing.assert_array_equal(found, shares)


def test_the_temperature_beside_a_network_calibrates_its_probabilities(model_path, tmp_path):
    path, noise = tmp_path / "model.keras", np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), "uint8")
    path.write_bytes(model_path.read_bytes())
    plain = load_model(path)
    for told in ('{"about": {"temperature": 2.0}}', "no JSON", '{"about": {"temperature": []}}'):
        path.with_suffix(".json").write_text(told)
        number = 2.0 if "2.0" in told else 1.0
        expected = softmax(plain(noise, training=False) / number, axis=1)
        np.testing.assert_allclose(predict.probabilities(load_model(path), noise), expected, rtol=1e-5)


def test_numbers_that_are_no_probabilities_are_said_in_one_line():
    def fail(images, training):
        raise MemoryError("no\nroom")

    images = np.zeros((1, 32, 32, 3), "uint8")
    with pytest.raises(ModelError, match="not finite: its weights are damaged"):
        predict.probabilities(lambda images, training: np.full((1, 10), np.nan), images)
    with pytest.raises(ModelError, match=r"The model does not run: no room\."):
        predict.probabilities(fail, images)
    with pytest.raises(ValueError, match="multiply them by 255"):
        predict.probabilities(fail, (images + 255) / 255)


def test_a_line_for_each_photo_names_its_most_probable_classes(command, album, model):
    status, lines, errors = command(album, "--top", 2)
    assert (status, errors) == (0, [])
    for line, path in zip(lines, pictures_in(album), strict=True):
        ((first, share), (second, _)) = predict.guesses(model, [load_photo(path)], top=2)[0]
        assert line.startswith(f"{path}  {first} {share:.1%}  {second} ")
        assert line.count("%") == 2


def test_programs_get_a_json_object_per_line_and_bad_photos_among_good_ones_are_told(command, album, model):
    given = [album / "a.png", album / "none.jpg", album / "b.jpg", album / "notes.txt", album]
    status, lines, errors = command(*given, "--json", "--top", 10)
    answers = [json.loads(line) for line in lines]
    assert status == 1
    assert [answer["path"] for answer in answers] == [*map(str, given[:4]), *map(str, pictures_in(album))]
    assert ["error" in answer for answer in answers] == [False, True, False, True, False, False]
    assert errors == []
    assert (answers[2]["size"], answers[2]["crop"]) == ([60, 41], [9, 0, 50, 41])
    (guesses,) = predict.guesses(model, [load_photo(album / "b.jpg")], top=10)
    assert [(found["class"], found["probability"]) for found in answers[2]["classes"]] == guesses


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not allow such names")
def test_names_cannot_break_lines_or_command_the_terminal(command, album):
    name = "x\n\x1b[31m\u202e\udcff.png"
    (album / name).write_bytes((album / "a.png").read_bytes())
    status, lines, errors = command(album / name, f"{name}.gone")
    assert (status, len(lines), len(errors)) == (1, 1, 1)
    assert all(line.isprintable() for line in lines + errors)
    assert r"x\n\x1b[31m\u202e\udcff.png" in lines[0]
    assert errors[0].endswith(".gone: it cannot be read: expected a file, or a folder with pictures in it")


def test_a_missing_model_is_said_before_any_photo_is_looked_at(command, album, tmp_path):
    missing = tmp_path / "none.keras"
    assert command(album, model=missing) == (1, [], [f"{missing} is not loaded: there is no such file."])


def test_ctrl_c_ends_without_a_traceback(command, album, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(predict, "load_photo", interrupt)
    assert command(album) == (130, [], ["", "Stopped."])


def test_without_a_good_photo_keras_is_not_started(model_path):
    code = (
        "import sys; from helpers.predict import main\n"
        f"status = main(['gone.jpg', '--model', {str(model_path)!r}])\n"
        "assert (status, {'keras', 'tensorflow'} & set(sys.modules)) == (1, set())"
    )
    child = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (child.returncode, len(child.stderr.splitlines())) == (0, 1), child.stderr


@posix
def test_a_reader_who_leaves_causes_no_traceback(model_path):
    end, write = os.pipe()
    os.close(end)
    command = [sys.executable, "-m", "helpers.predict", "gone.jpg", "--json", "--model", str(model_path)]
    child = subprocess.run(command, cwd=ROOT, stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write)
    assert (child.returncode, child.stderr) == (1, "")


@pytest.mark.parametrize("needed", [0.4, 1, 3])
def test_the_fitted_temperature_is_that_by_which_the_labels_were_drawn(needed):
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 3, (4000, 10))
    labels = (logits / needed + rng.gumbel(size=logits.shape)).argmax(axis=1)
    assert predict.fit_temperature(logits, labels) == pytest.approx(needed, rel=0.07)
