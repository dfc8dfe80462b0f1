"""Run at the start of each kernel under test: a figure whose axes bear numbers and no label is an error.

tests/support/plugin.py has the kernels execute this file, outside the notebook's own names.
"""

import re

from matplotlib.backend_bases import FigureCanvasBase

DRAW = FigureCanvasBase.print_figure
NOTE = "synthetic sample"  # what `plots.show` writes beside a figure is no axis label


def unlabelled(figure) -> list[str]:
    """Return "x axis of panel 2" and the like for each axis that shows numbers and does not say of what."""
    return [
        f"{which} axis of panel {number}"
        for number, ax in enumerate(figure.axes, 1)
        for which in "xy"
        if ax.axison and shows_numbers(ax, which) and not any(labels(figure, ax, which))
    ]


def shows_numbers(ax, which: str) -> bool:
    """Return whether a tick of the axis is labelled with a number."""
    ticks = getattr(ax, f"{which}axis").get_ticklabels()
    return any(tick.get_visible() and re.search(r"\d", tick.get_text()) for tick in ticks)


def labels(figure, ax, which: str) -> list[str]:
    """Return the labels that speak for an axis: its own, a neighbour's in the row or column, the figure's."""
    whole = getattr(figure, f"get_sup{which}label")()
    found = [getattr(ax, f"get_{which}label")(), "" if whole.startswith(NOTE) else whole]
    for other in figure.axes:
        here, there = ax.get_subplotspec(), other.get_subplotspec()
        if here and there and here.get_gridspec() is there.get_gridspec():
            same = here.colspan == there.colspan if which == "x" else here.rowspan == there.rowspan
            found.append(getattr(other, f"get_{which}label")() if same else "")
    return found


def checked(canvas, *args, **kwargs):
    """Draw a figure, its axes checked first."""
    missing = unlabelled(canvas.figure)
    assert not missing, f"a figure has no label on: {', '.join(missing)}"
    return DRAW(canvas, *args, **kwargs)


if __name__ == "labelled_axes":  # so named where a kernel starts: tests/support/plugin.py
    FigureCanvasBase.print_figure = checked
