"""A trained network in other programs' formats: `python -m helpers.export [MODEL] [--out DIR]`.

Each export is run on images and compared with the Keras model before it gets its place; one that answers
otherwise is not kept. All take raw pixels, 0 to 255, and give logits.
"""

import argparse
import contextlib
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from helpers import console
from helpers import model_files as nets
from helpers.data import DataError, load_cifar10
from helpers.photos import in_one_line, printable
from helpers.predict import DEFAULT_MODEL, ModelError, check_model_file, load_model

if TYPE_CHECKING:
    import keras
    import pandas as pd

FILES = {  # what each format is called on the disk
    "keras": "model.keras",
    "savedmodel": "saved_model",
    "litert": "model.tflite",
    "litert_int8": "model_int8.tflite",
    "onnx": "model.onnx",
}
RUNNERS = {
    "keras": nets.run_keras,
    "savedmodel": nets.run_savedmodel,
    **dict.fromkeys(["litert", "litert_int8"], nets.run_litert),
    "onnx": nets.run_onnx,
}
RECORD = "exports.json"  # the reports; a folder that holds it was made here
CALIBRATION_IMAGES, CHECK_IMAGES = 200, 1000  # that the command takes
ROUNDING = 1e-4  # share of the largest logit by which float logits may differ
INT8_AGREEMENT = 0.9  # share of the images that have to keep their class
COLUMNS = {  # of `export_table`, and how to show them
    "bytes": "{:,.0f}".format,
    "largest difference": "{:.1e}".format,
    "agreement": "{:.1%}".format,
    "median ms": "{:.2f}".format,
    "p99 ms": "{:.2f}".format,
    "images per second": "{:,.0f}".format,
}


@dataclass(frozen=True)
class ExportReport:
    """What is known of a network in one format.

    Attributes:
        format: a key of `FILES`.
        problem: in one line, why there is no such file, and then nothing below is set; "" if there is.
        path: the file, or the folder of a SavedModel.
        bytes: its size.
        largest_difference: between its logits and Keras', over all check images.
        agreement: share of the check images that get Keras' class, 0 to 1.
        median_ms, p99_ms: milliseconds that a single image takes, half and 99 of 100 times at most.
        images_per_second: in batches of 100.
    """

    format: str
    problem: str = ""
    path: str = ""
    bytes: int = 0
    largest_difference: float = 0.0
    agreement: float = 0.0
    median_ms: float = 0.0
    p99_ms: float = 0.0
    images_per_second: float = 0.0


def export_all(
    model: "keras.Model",
    folder: str | Path,
    calibration_images: np.ndarray,
    check_images: np.ndarray,
    formats: Sequence[str] = tuple(FILES),
    repeats: int = 100,
) -> list[ExportReport]:
    """Write a network in several formats, run each, and keep those that answer as the Keras model does.

    The folder appears when all is done, in the place of an earlier export. If no format passes,
    nothing changes.

    Args:
        model: from raw pixels, (N, 32, 32, 3), to logits, (N, 10).
        folder: a new one, an empty one, or one that this function has made.
        calibration_images: uint8 (N, 32, 32, 3), about 200 training images (test images would be a
            leak): see `model_files.write_litert`.
        check_images: uint8 (N, 32, 32, 3), on which each format is compared with Keras and timed.
        formats: keys of `FILES`.
        repeats: how many single images are timed.

    Returns:
        A report per format, in their order.

    Raises:
        ModelError: if the folder holds other files, which are not replaced.
        OSError: if it cannot be written.
    """
    from helpers.internal.files import write_json

    check_folder(folder)
    place = Path(folder).resolve()
    place.parent.mkdir(parents=True, exist_ok=True)
    logits = nets.run_keras(model)(check_images)
    int8 = partial(nets.write_litert, calibration=calibration_images)
    writers = (nets.save_model, nets.write_savedmodel, nets.write_litert, int8, nets.write_onnx)
    write, reports = dict(zip(FILES, writers, strict=True)), []
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=".exports-") as work:
        new = Path(work, "new")
        new.mkdir()
        for name in formats:
            made = Path(work, name)
            made.mkdir()
            try:
                write[name](model, made / FILES[name])
                runner = RUNNERS[name](made / FILES[name])
                difference, agreement = compare_logits(name, logits, runner(check_images))
            except Exception as error:  # converters and runtimes raise anything
                known = isinstance(error, ModelError)
                said = str(error) if known else f"{type(error).__name__}: {in_one_line(error)}."
                reports.append(ExportReport(name, said))
                continue
            path, size = str(Path(folder, FILES[name])), size_of(made / FILES[name])
            times = measure(runner, check_images, repeats)
            reports.append(ExportReport(name, "", path, size, difference, agreement, *times))
            for part in made.iterdir():
                part.rename(new / part.name)
        if any(not report.problem for report in reports):
            write_json(new / RECORD, {"exports": [asdict(report) for report in reports]})
            if place.exists():
                place.rename(Path(work, "old"))
            new.rename(place)
    return reports


def check_folder(folder: str | Path) -> None:
    """Raise ModelError unless a folder is missing, empty, or holds exports and nothing else."""
    names = {path.name for path in Path(folder).glob("*")}
    others = names - {*FILES.values(), "model.json", RECORD}
    if others or (names and RECORD not in names) or Path(folder).is_file():
        raise ModelError(f"{folder} holds other files, which are not replaced: name another folder.")


def compare_logits(name: str, expected: np.ndarray, found: np.ndarray) -> tuple[float, float]:
    """Return the largest difference of an export's logits, (N, 10), and the share of equal classes.

    A float format has to give Keras' logits but for rounding. Then a class can differ only where
    Keras' two best logits are closer than twice that: a tie. int8 rounds every number between the
    layers, so its logits differ by design, and what counts is its classes.

    Raises:
        ModelError: if the export answers otherwise; the message says how.
    """
    if found.shape != expected.shape or not np.isfinite(found).all():
        raise ModelError(f"It gives {found.shape}, expected finite logits of {expected.shape}: not kept.")
    difference = float(np.abs(expected - found).max())
    agreement = float((expected.argmax(axis=1) == found.argmax(axis=1)).mean())
    limit = ROUNDING * max(1.0, float(np.abs(expected).max()))
    if name != "litert_int8" and difference > limit:
        raise ModelError(f"Its logits differ by {difference:.1e}, expected {limit:.1e} at most: not kept.")
    if name == "litert_int8" and agreement < INT8_AGREEMENT:
        raise ModelError(f"{agreement:.1%} keep their class, expected {INT8_AGREEMENT:.0%}: not kept.")
    return difference, agreement


def measure(runner: nets.Runner, images: np.ndarray, repeats: int) -> tuple[float, float, float]:
    """Return how a runner fares: median and 99th percentile of single images in ms, images per second."""

    def seconds(some):
        start = time.perf_counter()
        runner(some)
        return time.perf_counter() - start

    singles = [seconds(images[i % len(images)][None]) for i in range(-3, repeats)][3:]  # 3 warm up
    median, p99 = 1000 * np.percentile(singles, [50, 99])
    return float(median), float(p99), len(images) / min(seconds(images), seconds(images))


def size_of(path: Path) -> int:
    """Return the bytes of a file, or of all files in a folder."""
    return sum(file.stat().st_size for file in (path, *path.rglob("*")) if file.is_file())


def export_table(reports: Sequence[ExportReport]) -> "pd.DataFrame":
    """Return one row per format that is there, with the columns of `COLUMNS`."""
    import pandas as pd

    kept = [report for report in reports if not report.problem]
    rows = [list(asdict(report).values())[3:] for report in kept]
    return pd.DataFrame(rows, [report.format for report in kept], list(COLUMNS)).rename_axis("format")


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return 0, or 1 after a message on standard error, or 130 after Ctrl-C."""
    parser = argparse.ArgumentParser(
        prog="python -m helpers.export",
        description="Write a trained network in other programs' formats, and check each against Keras.",
        epilog=f"All take raw pixels and give logits. onnx needs: pip install {nets.ONNX_PACKAGES}",
    )
    parser.add_argument("model", nargs="?", type=Path, default=DEFAULT_MODEL, help="a .keras file")
    parser.add_argument("--out", type=Path, default=Path("build", "exports"), metavar="DIR", help="folder")
    parser.add_argument("--formats", nargs="+", choices=FILES, help="all that can be made, if not given")
    parser.add_argument("--json", action="store_true", help="one JSON object per format and line")
    options = parser.parse_args(arguments)
    return console.run(partial(answer, options.model, options.out, options.formats, options.json))


def answer(model_path: Path, folder: Path, formats: list[str] | None, as_json: bool) -> int:
    """Export and print the reports; return 1 if a format failed that was asked for, or any but onnx."""
    try:
        check_model_file(model_path)
        check_folder(folder)
        model = load_model(model_path)
        with contextlib.redirect_stdout(sys.stderr):
            data = load_cifar10().for_training()
        calibration, check = data.train.images[:CALIBRATION_IMAGES], data.val.images[:CHECK_IMAGES]
        reports = export_all(model, folder, calibration, check, formats or tuple(FILES))
    except (ModelError, DataError) as error:
        print(printable(str(error)), file=sys.stderr)
        return 1
    if as_json:
        print(*(json.dumps(asdict(report)) for report in reports), sep="\n")
    else:
        print(f"{folder}: checked on {len(check):,} {data.source} validation images")
        print(export_table(reports).rename_axis(None).to_string(formatters=COLUMNS))
    failed = [report for report in reports if report.problem]
    for report in failed:
        print(f"{report.format}: {printable(report.problem)}", file=sys.stderr)
    return 1 if any(formats or report.format != "onnx" for report in failed) else 0


if __name__ == "__main__":
    sys.exit(main())
