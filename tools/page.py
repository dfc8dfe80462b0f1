"""Write a page that runs a network in the browser: `python -m tools.page [--model PATH] [--out build/page]`.

The folder holds the sources in `tools/page`, and `data.js`: the layers, their weights in 16 or 8 bits, and
example pictures. Beside it lies the same page in one file, to be sent to somebody.
"""

import argparse
import io
import json
import re
import shutil
import sys
from base64 import b64encode
from pathlib import Path

import numpy as np
from PIL import Image

from helpers.data import CLASS_NAMES
from helpers.internal.files import ROOT, write_text
from helpers.internal.sample import develop, draw
from helpers.predict import FINAL_MODEL, ModelError, load_model

SOURCES, EXAMPLES = Path(__file__).with_suffix(""), 12
KINDS = re.findall(r"static ([A-Z]\w+)\(", (SOURCES / "network.js").read_text(encoding="utf-8"))  # of layers
LINES = ("Normalization", "BatchNormalization", "Rescaling")  # in prediction: scale * x + shift, per channel
SETTINGS = ("kernel_size", "pool_size", "strides", "padding", "activation")
GRANTED = {"Conv2D": {"strides": [1, 1], "dilation_rate": [1, 1], "groups": 1}}  # by network.js
GRANTED |= {"MaxPooling2D": {"padding": "valid"}, "ReLU": {"max_value": None, "negative_slope": 0}}


def described(layer, bits: int, weights: bytearray) -> dict:
    """Return what network.js has to know of a layer; its arrays go to the end of `weights`. Or ModelError."""
    kind, config = type(layer).__name__, json.loads(json.dumps(layer.get_config()))
    strange = [key for key, value in GRANTED.get(kind, {}).items() if config[key] != value]
    strange += [] if config.get("activation", "linear") in ("linear", "relu", "silu") else ["activation"]
    if kind not in KINDS or strange:
        raise ModelError(f"The page cannot run the layer {layer.name}: {' '.join([kind, *strange])}.")
    *sides, channels = layer.output.shape[1:]
    told = {"kind": kind, "name": layer.name, "shape": [*(sides or (1, 1)), channels]}
    told |= {key: config[key] for key in SETTINGS if key in config}
    if kind in LINES:  # two points tell them
        shape = (1, *layer.input.shape[1:])
        shift, end = (np.ravel(layer(np.full(shape, x, "float32")))[:channels] for x in (0, 1024))
        told |= {"scale": packed((end - shift) / 1024, weights), "shift": packed(shift, weights)}
    if kind in ("Conv2D", "Dense"):
        rows = np.asarray(layer.kernel).reshape(-1, channels).T  # one per filter: its height, width, channels
        scales = np.maximum(np.abs(rows).max(axis=1), 1e-30) / (2 ** (bits - 1) - 1)
        told["kernel"] = packed(np.round(rows / scales[:, None]).astype(f"<i{bits // 8}"), weights)
        told["scales"] = packed(scales, weights)
        told |= {"bias": packed(np.asarray(layer.bias), weights)} if layer.use_bias else {}
    return told


def packed(array: np.ndarray, weights: bytearray) -> list[int]:
    """Append an array, as float32 unless it holds whole numbers; return its first byte and its length."""
    array, start = array if array.dtype.kind == "i" else array.astype("<f4"), len(weights)
    weights += array.tobytes() + bytes(-array.nbytes % 4)  # each begins at a multiple of four
    return [start, array.size]


def examples() -> list[dict]:
    """Return the datasheet's photos, then drawings, first of the classes that these lack: files as URIs."""
    datasheet = (ROOT / "data" / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([^`]+)\.jpg` \| ([^|]+) \| ([^|]+) \| \[?([^]|]+)", datasheet, re.MULTILINE)
    found, rng = {}, np.random.default_rng(0)
    for name, shows, author, licence in rows:
        content = (ROOT / "data" / "photos" / f"{name}.jpg").read_bytes()
        found[name] = f"{shows}. Photo: {author}, {licence.strip()}", "jpeg", content
    for name in sorted(CLASS_NAMES, key=found.__contains__)[: EXAMPLES - len(found)]:
        drawing, file = develop(draw(CLASS_NAMES.index(name), rng)[None], rng)[0], io.BytesIO()
        Image.fromarray(drawing).save(file, "png")
        found[f"drawn {name}"] = f"a program's drawing of the class {name}", "png", file.getvalue()
    uri = "data:image/{};base64,{}".format
    return [{"name": n, "shows": s, "file": uri(k, b64encode(c).decode())} for n, (s, k, c) in found.items()]


def data_script(path: Path, bits: int = 16) -> str:
    """Return `data.js` for a Sequential network in a `.keras` file; ModelError if the page cannot run it."""
    model, weights, beside = load_model(path), bytearray(), path.with_suffix(".json")
    about = json.loads(beside.read_text(encoding="utf-8"))["about"] if beside.is_file() else {}
    page = {"layers": [described(layer, bits, weights) for layer in model.layers], "bits": bits}
    page |= {"classes": CLASS_NAMES, "temperature": getattr(model, "temperature", None)}
    page |= {"accuracy": about.get("test_accuracy", {}).get("1"), "parameters": model.count_params()}
    page |= {"examples": examples(), "weights": b64encode(weights).decode()}
    return f"const PAGE = {json.dumps(page)};\n"


def in_one_file(folder: Path) -> str:
    """Return the page with its style and its scripts in it."""
    text = (folder / "index.html").read_text(encoding="utf-8")
    for line, name in re.findall(r'(<(?:link rel="stylesheet" href|script src)="([\w.]+)">.*)', text):
        tag = "style" if name.endswith(".css") else "script"
        text = text.replace(line, f"<{tag}>\n{(folder / name).read_text(encoding='utf-8')}</{tag}>")
    return text


def main(arguments: list[str] | None = None) -> None:
    """Write the page that the command line asks for; exit with one line if its network cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m tools.page", description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, default=FINAL_MODEL, help="a .keras file")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "page", help="the folder to write")
    parser.add_argument("--bits", type=int, choices=(8, 16), default=16, help="of each weight")
    options = parser.parse_args(arguments)
    try:
        script = data_script(options.model, options.bits)
    except ModelError as error:
        sys.exit(str(error))
    shutil.copytree(SOURCES, options.out, dirs_exist_ok=True)
    write_text(options.out / "data.js", script)
    single = options.out.with_suffix(".html")
    write_text(single, in_one_file(options.out))
    print(f"{options.out / 'index.html'}, and in one file, of {single.stat().st_size:,} bytes, {single}")


if __name__ == "__main__":
    main()
