"""Print how large the code is beside what it may be, and fail if it is larger: `python -m tests.size`.

Every line of every Python file counts, blank ones and docstrings too. A budget grows with a chapter, never
because something did not fit.
"""

import sys

from helpers.internal.files import ROOT

# As it is, so that it can only fall; the aims are 5,800 of all code and 4,400 of helpers.
BUDGETS = {("helpers", "tools", "benchmarks"): 6399, ("helpers",): 5317, ("tests",): 7408}
MODULE = 250  # lines of each module in helpers and tools


def lengths(*folders: str) -> dict[str, int]:
    """Return the lines of each Python file of some folders."""
    paths = sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return {str(path.relative_to(ROOT)): len(path.read_text("utf-8").splitlines()) for path in paths}


def main() -> int:
    """Print all; return 1 if anything is over its budget."""
    figures = [(" + ".join(names), sum(lengths(*names).values()), most) for names, most in BUDGETS.items()]
    modules = sorted(lengths("helpers", "tools").items(), key=lambda item: -item[1])
    figures += [(name, length, MODULE) for name, length in modules[:3]]
    for name, figure, most in figures:
        print(f"{figure:6,} of {most:5,}  {name}{'  <- too large' if figure > most else ''}")
    print(f"{len(lengths('helpers')):6,} files in helpers")
    return int(any(figure > most for _, figure, most in figures))


if __name__ == "__main__":
    sys.exit(main())
