"""What is in a `.keras` file, and whether Keras may have it: looked at without Keras, and within limits.

A model file can carry code, and ways round Keras' safe mode have been found. So a file may be made of the
parts in `ALLOWED` and of nothing else. A small file can also unpack to, or ask for, all of the memory.
"""

import io
import json
import os
import zipfile
from pathlib import Path

import h5py
import numpy as np

from helpers.internal.files import place

MEMBERS = ["config.json", "metadata.json", "model.weights.h5"]  # what Keras puts into a file, sorted
MAX_BYTES, MAX_CONFIG = 64 * 2**20, 256 * 2**10  # of a model file; those of the series have 10 MB and 32 kB
MAX_LAYERS, MAX_PARTS, MAX_NUMBER, MAX_WEIGHTS = 200, 3_000, 20_000, 16_000_000
LARGE = ("seed", "shared_object_id")  # may be any number
# Keras 3.15 writes these settings also where nobody has set them; Keras 3.13 does not know them.
UNSET = {"input_axes": None, "output_axes": None}  # of initializers
UNSET |= {"renorm": False, "renorm_clipping": None, "renorm_momentum": 0.99}  # of batch normalisation
ALLOWED = {  # module in `config.json`: what may be made from it
    "keras": "DTypePolicy Sequential",
    "keras.src.models.functional": "Functional",
    "keras.layers": "Activation Add Average AveragePooling2D BatchNormalization Concatenate Conv2D Dense "
    "DepthwiseConv2D Dropout Flatten GaussianNoise GlobalAveragePooling2D GlobalMaxPooling2D Identity "
    "GroupNormalization InputLayer LayerNormalization LeakyReLU MaxPooling2D Multiply Normalization ReLU "
    "Rescaling Reshape SeparableConv2D Softmax SpatialDropout2D ZeroPadding2D",
    "keras.initializers": "Constant GlorotNormal GlorotUniform HeNormal HeUniform LecunNormal LecunUniform "
    "Ones Orthogonal RandomNormal RandomUniform TruncatedNormal VarianceScaling Zeros",
    "keras.regularizers": "L1 L1L2 L2",
    "keras.random": "SeedGenerator",
    "None": "__keras_tensor__",  # a connection in a functional model
}


class ModelError(Exception):
    """A model cannot be used; the message says why in one line."""


def check_model_file(path: str | os.PathLike) -> None:
    """Raise ModelError unless a `.keras` file is whole, made of `ALLOWED` parts and within the limits."""
    path = place(path)
    try:
        contents = unpacked(path)
        config = json.loads(contents["config.json"])
        reason = forbidden_part(config) or forbidden_weights(contents["model.weights.h5"])
    except ModelError as error:
        reason = str(error)
    except Exception as error:  # damage leads zipfile, json and h5py to many kinds of errors
        reason = f"it is damaged or cut off ({in_one_line(error)})"
    if reason:
        raise ModelError(f"{path} is not loaded: {reason}.")


def unpacked(path: Path) -> dict[str, bytes]:
    """Return the members of a `.keras` file by name, none of them longer than it is declared to be."""
    if path.suffix != ".keras" or not path.is_file():
        raise ModelError("it is no .keras file" if path.exists() else "there is no such file")
    if path.stat().st_size > MAX_BYTES:
        raise ModelError(f"it is larger than {MAX_BYTES // 2**20} MB")
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        if sorted(member.filename for member in members) != MEMBERS:
            raise ModelError(f"expected {', '.join(MEMBERS)} in it and nothing else")
        if not {member.compress_type for member in members} <= {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            raise ModelError("expected parts that are stored or deflated")
        sizes = {member.filename: member.file_size for member in members}
        if sum(sizes.values()) > MAX_BYTES or sizes["config.json"] > MAX_CONFIG:
            raise ModelError("it unpacks to more than a network of this series takes")
        return {name: archive.open(name).read(size + 1) for name, size in sizes.items()}  # read(): no limit


def forbidden_part(config: dict) -> str | None:
    """Return why a network's description is not accepted: for a part not in `ALLOWED` or beyond a limit."""
    loaded = {key: value for key, value in config.items() if key != "compile_config"}
    waiting, layers, weights = [("", loaded)], 0, 0
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, dict) and "class_name" in value:
            module, kind, settings = str(value.get("module")), value["class_name"], value["config"]
            if kind not in ALLOWED.get(module, "").split():
                return f"{printable(f'{kind} ({module})')[:80]} is no part of this series' networks"
            layers += module == "keras.layers"
            if {"filters", "units", "kernel_size"} & settings.keys():
                shape = (value.get("build_config") or {}).get("input_shape") or [MAX_NUMBER]
                makes = [settings.get(key) or 1 for key in ("filters", "units", "kernel_size")]
                weights += abs(max(filter(None, shape)) * np.prod(np.hstack(makes), dtype=float))
        elif isinstance(value, int | float) and name not in LARGE and not abs(value) <= MAX_NUMBER:
            return f"{printable(name)[:40]} is beyond {MAX_NUMBER:,}"
        if isinstance(value, dict | list):
            waiting += value.items() if isinstance(value, dict) else [(name, item) for item in value]
    if layers > MAX_LAYERS or weights > MAX_WEIGHTS:
        return f"it has more than {MAX_LAYERS} layers or {MAX_WEIGHTS:,} weights"
    return None if "class_name" in config else "config.json describes no network"


def forbidden_weights(content: bytes) -> str | None:
    """Return why an HDF5 file of weights is not accepted: it names another file, or takes time or memory."""
    names, arrays = [], []

    def look(name, link):  # anything but None ends the visit
        names.append(name)
        if not isinstance(link, h5py.HardLink):
            return "its weights are behind a link"
        return "its weights have too many parts" if len(names) > MAX_PARTS or name.count("/") > 20 else None

    with h5py.File(io.BytesIO(content)) as file:
        if reason := file.visititems_links(look):
            return reason
        file.visititems(lambda _, part: arrays.append(part) if isinstance(part, h5py.Dataset) else None)
        if any(array.external or array.is_virtual for array in arrays):
            return "its weights are in another file"
        return "its weights take too much memory" if sum(a.nbytes for a in arrays) > MAX_BYTES else None


def in_one_line(error: Exception) -> str:
    """Return what an error says, or else its kind, in at most 100 characters."""
    said = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return printable(" ".join(said.split()))[:100].rstrip(" .:")


def printable(text: str) -> str:
    """Return a text that is safe to show: a file's name may hold line feeds and commands to a terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def for_older_keras(path: Path) -> None:
    """Take the settings in `UNSET` out of a `.keras` file that Keras has written here."""
    parts = unpacked(path)
    known = lambda settings: {name: v for name, v in settings.items() if UNSET.get(name, ...) != v}  # noqa: E731
    config = json.loads(parts["config.json"], object_hook=known)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in (parts | {"config.json": json.dumps(config)}).items():
            archive.writestr(name, content)
