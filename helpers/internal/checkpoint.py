"""The state of a training between two epochs; Keras' `BackupAndRestore` forgets history and random states."""

import hashlib
import json
import re
from contextlib import ExitStack
from pathlib import Path

import keras
import numpy as np
from filelock import FileLock, Timeout

from helpers.internal.files import place, written


class Checkpoint(ExitStack):
    """Weights, optimizer, random states and history of a compiled model, kept in a folder.

    Inside `with` no other process gets at it. A state of another `record` or network is refused.
    """

    def __init__(self, folder: str | Path | None, model: keras.Model, record: dict):
        super().__init__()
        self.model = model
        self.path = place(folder) / "checkpoint.npz" if folder else None  # None: nothing is kept on disk
        if not folder:
            return
        layers = re.sub(r'_\d+"', '"', model.to_json())  # without the numbers Keras gives them
        network = hashlib.sha256(layers.encode()).hexdigest()
        self.identity = json.dumps(record | {"network": network}, sort_keys=True)
        model.optimizer.build(model.trainable_variables)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self.enter_context(FileLock(self.path.with_name("lock"), timeout=0))
        except Timeout:
            raise BlockingIOError(f"Another process trains in {folder}: wait for it.") from None
        except (OSError, NotImplementedError):
            pass  # not every file system has locks

    def restore(self) -> list[dict]:
        """Set the model to the saved state and return the history so far: empty where none is saved."""
        if self.path is None or not self.path.exists():
            return []
        try:
            with np.load(self.path, allow_pickle=False) as saved:
                state = dict(saved)
            meta = json.loads(str(state["meta"]))
            if mine := meta["identity"] == self.identity:
                for name, variable in self.variables().items():
                    variable.assign(state[name])
                history = meta["history"]
        except Exception as error:
            raise ValueError(f"{self.path} cannot be read ({error}): delete it to start anew.") from None
        if not mine:
            raise ValueError(f"{self.path} is of another recipe, seed, network or data: use another folder.")
        return history

    def save(self, history: list[dict]) -> None:
        """Save the state after an epoch."""
        if self.path:
            state = {name: keras.ops.convert_to_numpy(v) for name, v in self.variables().items()}
            meta = {"identity": self.identity, "history": history}
            with written(self.path) as beside:
                np.savez(beside, meta=json.dumps(meta), **state)

    def variables(self) -> dict[str, keras.Variable]:
        """Return all variables of model and optimizer by names that are the same in each process."""
        parts = {"model": self.model.variables, "optimizer": self.model.optimizer.variables}
        return {f"{part}{i}": v for part, held in parts.items() for i, v in enumerate(held)}
