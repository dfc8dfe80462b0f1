"""What all commands of the series do alike: odd names, a reader who leaves, a full disk, Ctrl-C.

Any Python 3 can run this file, as `helpers.doctor` begins with it.
"""

import contextlib
import os
import sys


def run(work, stopped="Stopped."):
    """Do a command's work and return its exit status.

    Args:
        work: function without arguments that prints and returns an exit status.
        stopped: what to say after Ctrl-C; the exit status is 130 then.

    Returns:
        What `work` returns; 1 after an OSError, which is told in a line unless it says that nobody
        reads on, as in `... | head`.
    """
    with contextlib.suppress(AttributeError):  # Python 3.6
        sys.stdout.reconfigure(errors="backslashreplace")  # not every terminal can show every name
    try:
        status = work()
        sys.stdout.flush()
        return status
    except OSError as error:
        with contextlib.suppress(OSError):  # what is still to be written would fail again at the exit
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            told = [error.strerror or str(error), error.filename]
            print(": ".join(str(part) for part in told if part is not None), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\n" + stopped, file=sys.stderr)
        return 130
