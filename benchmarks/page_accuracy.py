"""Does the page compute what Keras does? Its network.js in headless Chromium, on CIFAR-10's test images.

make page; CIFAR10_DIR=... PYTHONPATH=. .venv/bin/python benchmarks/page_accuracy.py
"""

import argparse
import base64
import json
import re
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from helpers.data import load_cifar10
from helpers.predict import FINAL_MODEL, load_model

CHROMIUM = ["chromium", "--headless", "--no-sandbox", "--dump-dom", "measure.html"]
DRIVER = """
const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const network = new Network(PAGE.layers, bytes(PAGE.weights).buffer, PAGE.bits);
const images = bytes(IMAGES), found = { logits: [], milliseconds: [] };
for (let start = 0; start < images.length; start += 3072) {
  const began = performance.now();
  const logits = network.run(images.subarray(start, start + 3072)).at(-1).values;
  found.milliseconds.push(performance.now() - began);
  found.logits.push([...logits]);
}
document.write(JSON.stringify(found));
"""


def measured(page: Path, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the logits (N, 10) of uint8 images (N, 32, 32, 3), and the milliseconds of each, (N,)."""
    parts = [(page / name).read_text(encoding="utf-8") for name in ("network.js", "data.js")]
    script = "".join([*parts, f'const IMAGES = "{base64.b64encode(images.tobytes()).decode()}";', DRIVER])
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "measure.html").write_text(f"<script>{script}</script>", encoding="utf-8")
        done = subprocess.run(CHROMIUM, cwd=folder, capture_output=True, text=True, check=True)
    found = json.loads(re.search(r'\{"logits.*\}', done.stdout)[0])
    return np.array(found["logits"]), np.array(found["milliseconds"])


def main() -> None:
    """Compare, and print both accuracies, how many classes differ, and the milliseconds an image takes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--page", type=Path, default=Path("build/page"), help="what make page has written")
    parser.add_argument("--model", type=Path, default=FINAL_MODEL, help="the .keras file that it shows")
    parser.add_argument("--images", type=int, default=10_000, help="how many of the test images")
    options = parser.parse_args()
    test = load_cifar10("official").test
    images, labels = test.images[: options.images], test.labels[: options.images]
    page, milliseconds = measured(options.page, images)
    keras = load_model(options.model).predict(images.astype("float32"), verbose=0)
    for name, logits in (("page", page), ("Keras", keras)):
        print(f"{name}: {(logits.argmax(axis=1) == labels).mean():.2%} of {len(labels):,} test images")
    differ = (page.argmax(axis=1) != keras.argmax(axis=1)).sum()
    print(f"{differ} classes differ; logits differ by at most {np.abs(page - keras).max():.1e}")
    print("median and 99th percentile of milliseconds:", np.percentile(milliseconds, (50, 99)).round(1))


if __name__ == "__main__":
    main()
