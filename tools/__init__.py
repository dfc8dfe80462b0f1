"""What the authors of the series run; no chapter and no helper imports it."""

import helpers  # noqa: F401 (it ends a command at Ctrl-C)
