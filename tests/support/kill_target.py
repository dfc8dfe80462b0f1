"""What the kill test starts and kills: `python -m tests.support.kill_target FOLDER` trains, its state there.

When the second state is half written, it says so and waits for its end.
"""

import os
import sys

from helpers.training import train
from tests.support.tiny import RECIPE, build, tiny_data


def main(folder: str) -> None:
    sync, calls = os.fsync, []

    def stop_at_the_second(number):
        calls.append(number)
        if len(calls) == 2:
            print("writing", flush=True)
            sys.stdin.read()
        sync(number)

    os.fsync = stop_at_the_second
    train(build, tiny_data(60, 20), RECIPE, 0, folder, progress=False)


if __name__ == "__main__":
    main(sys.argv[1])
