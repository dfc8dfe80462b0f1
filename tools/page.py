"""Write a page that runs a network in the browser: `python -m tools.page [--model PATH] [--out build/page]`.

The folder holds the sources in `tools/page` and `data.js`: the network, its weights as whole numbers of 16 or
8 bits, and example pictures. The same in one file, if it is small enough to send, lies beside the folder.
"""

import argparse
import base64
import io
import json
import re
import shutil
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from helpers.data import CLASS_NAMES
from helpers.internal.files import ROOT, write_text
from helpers.internal.sample import develop, draw
from helpers.predict import FINAL_MODEL, ModelError, load_model

SOURCES = Path(__file__).with_suffix("")
EXAMPLES, MAX_SINGLE = 12, 6_000_000  # pictures; bytes of the page in one file
LINEAR = ("Normalization", "BatchNormalization", "Rescaling")  # in prediction: scale * x + shift per channel
OPTIONS = {"pool_size": "size", "strides": "step", "padding": "padding", "activation": "activation"}
# The layers that network.js computes, and the settings that it takes for granted.
KNOWN = dict.fromkeys((*LINEAR, "Activation", "Dense", "Dropout", "Flatten", "GlobalAveragePooling2D"), {})
KNOWN |= {"Normalization": {"invert": False, "axis": [-1]}, "BatchNormalization": {"axis": -1}}
KNOWN |= {"Conv2D": {"strides": [1, 1], "dilation_rate": [1, 1], "groups": 1}, "GlobalMaxPooling2D": {}}
KNOWN |= {"MaxPooling2D": {"padding": "valid"}, "ReLU": {"max_value": None, "negative_slope": 0, "threshold": 0}}
ACTIVATIONS = (None, "linear", "relu", "silu")


def described(layer, bits: int, weights: bytearray) -> dict:
    """Return what network.js has to know of a layer; its arrays go to the end of `weights`.

    ModelError if network.js does not compute such a layer, or not with these settings.
    """
    kind, config = type(layer).__name__, json.loads(json.dumps(layer.get_config()))
    granted = KNOWN.get(kind)
    if granted is None or any(config[key] != value for key, value in granted.items()):
        raise ModelError(f"The page cannot compute the layer {layer.name} ({kind}), see KNOWN in tools/page.py.")
    if config.get("activation") not in ACTIVATIONS:
        raise ModelError(f"The page cannot compute the activation {config['activation']!r} of {layer.name}.")
    *sides, channels = layer.output.shape[1:]
    told = {"kind": kind, "name": layer.name, "shape": [*(sides or (1, 1)), channels]}
    told |= {name: config[key] for key, name in OPTIONS.items() if key in config}
    if kind in LINEAR:
        told |= {name: packed(row, weights) for name, row in scale_and_shift(layer, channels).items()}
    if kind in ("Conv2D", "Dense"):
        kernel = np.asarray(layer.kernel, "float32")
        told["size"] = kernel.shape[0] if kind == "Conv2D" else 1
        rows = kernel.reshape(-1, channels).T  # a row for each filter: its height, width and channels
        scales = np.maximum(np.abs(rows).max(axis=1), 1e-30) / (2 ** (bits - 1) - 1)
        told["kernel"] = packed(np.round(rows / scales[:, None]).astype(f"<i{bits // 8}"), weights)
        told["scales"] = packed(scales, weights)
        if layer.use_bias:
            told["bias"] = packed(np.asarray(layer.bias), weights)
    return told


def scale_and_shift(layer, channels: int) -> dict[str, np.ndarray]:
    """Return `scale` and `shift` per channel, float64 (channels,), of a layer whose kind is in `LINEAR`."""
    if type(layer).__name__ == "Rescaling":
        scale, shift = layer.scale, layer.offset
    elif type(layer).__name__ == "Normalization":
        scale = 1 / np.sqrt(np.ravel(layer.variance))
        shift = -np.ravel(layer.mean) * scale
    else:
        scale = 1 / np.sqrt(np.asarray(layer.moving_variance, "float64") + layer.epsilon)
        scale = scale * (np.asarray(layer.gamma) if layer.scale else 1)
        shift = (np.asarray(layer.beta) if layer.center else 0) - np.asarray(layer.moving_mean) * scale
    return {"scale": np.broadcast_to(scale, channels), "shift": np.broadcast_to(shift, channels)}


def packed(array: np.ndarray, weights: bytearray) -> list[int]:
    """Append an array, as float32 unless it holds whole numbers; return where it begins, in bytes, and its size."""
    array = array if array.dtype.kind == "i" else array.astype("<f4")
    start = len(weights)
    weights += array.tobytes() + bytes(-array.nbytes % 4)  # each begins at a multiple of four
    return [start, array.size]


def examples() -> list[dict]:
    """Return the photos in the datasheet, then drawings of the classes that these lack, as data URIs."""
    datasheet = (ROOT / "data" / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([^`]+)` \| ([^|]+) \| ([^|]+) \| \[?([^]|]+)", datasheet, re.MULTILINE)
    found = []
    for name, shows, author, licence in rows:
        told = {"name": name.partition(".")[0], "shows": f"{shows}. Photo: {author}, {licence.strip()}"}
        found.append(told | {"address": address((ROOT / "data" / "photos" / name).read_bytes(), "jpeg")})
    rng, names = np.random.default_rng(0), [told["name"] for told in found]
    for name in sorted(CLASS_NAMES, key=names.__contains__)[: EXAMPLES - len(found)]:
        file = io.BytesIO()
        Image.fromarray(develop(draw(CLASS_NAMES.index(name), rng)[None], rng)[0]).save(file, "png")
        told = {"name": f"drawn {name}", "shows": f"a drawing of the class {name}, made by a program"}
        found.append(told | {"address": address(file.getvalue(), "png")})
    return found


def address(content: bytes, kind: str) -> str:
    """Return a picture as a data URI."""
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def data_script(path: Path, bits: int) -> str:
    """Return `data.js` for the network in a `.keras` file; ModelError if the page cannot run it."""
    model, weights = load_model(path), bytearray()
    if type(model).__name__ != "Sequential":
        raise ModelError(f"{path} is no Sequential network, which is all that the page can run.")
    page = {"layers": [described(layer, bits, weights) for layer in model.layers], "bits": bits}
    page |= {"classes": CLASS_NAMES, "temperature": getattr(model, "temperature", None)}
    about = path.with_suffix(".json")
    known = json.loads(about.read_text(encoding="utf-8"))["about"] if about.is_file() else {}
    page |= {"accuracy": known.get("test_accuracy", {}).get("1"), "parameters": model.count_params()}
    page |= {"examples": examples(), "weights": base64.b64encode(weights).decode()}
    return f"const PAGE = {json.dumps(page)};\n"


def in_one_file(folder: Path) -> str:
    """Return the page with its style and its scripts in it."""
    text = (folder / "index.html").read_text(encoding="utf-8")
    for pattern, tag in ((r'<link rel="stylesheet" href="(.*)">', "style"), (r'<script src="(.*)"></script>', "script")):
        text = re.sub(
            pattern,
            lambda found, tag=tag: f"<{tag}>\n{(folder / found[1]).read_text(encoding='utf-8')}</{tag}>",
            text,
        )
    return text


def write_page(path: Path, folder: Path, bits: int = 16) -> None:
    """Write the folder, and the page in one file beside it, and print what they take."""
    script = data_script(path, bits)
    shutil.copytree(SOURCES, folder, dirs_exist_ok=True)
    write_text(folder / "data.js", script)
    single, text = folder.with_suffix(".html"), in_one_file(folder)
    if len(text.encode()) <= MAX_SINGLE:
        write_text(single, text)
        print(f"{single}: {len(text.encode()):,} bytes")
    else:
        single.unlink(missing_ok=True)
    total = sum(file.stat().st_size for file in folder.iterdir())
    print(f"{folder / 'index.html'}: {total:,} bytes in the folder")


def main(arguments: list[str] | None = None) -> None:
    """Write the page that the command line asks for; exit with one line if its network cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m tools.page", description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, default=FINAL_MODEL, help="a .keras file")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "page", help="the folder to write")
    parser.add_argument("--bits", type=int, choices=(8, 16), default=16, help="of each weight")
    options = parser.parse_args(arguments)
    try:
        write_page(options.model, options.out, options.bits)
    except ModelError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
