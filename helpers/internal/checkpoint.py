"""The state of a training run between two epochs, in one file that is written whole or not at all."""

import json
import os
from pathlib import Path

import keras
import numpy as np


class Checkpoint:
    """Saves and restores weights, optimizer, random states, history and the running weight average.

    Keras' own `BackupAndRestore` keeps neither the history nor the random states, and a run must
    end with the same weights whether or not it was interrupted.

    Args:
        folder: where `checkpoint.npz` lives, or None to keep nothing on disk.
        record: what identifies the run (recipe, seed, data, network), written as JSON. State
            that was saved under another record is refused.
    """

    def __init__(self, folder: str | Path | None, record: dict):
        self.path = Path(folder) / "checkpoint.npz" if folder else None
        self.identity = json.dumps(record, sort_keys=True)
        self.sums: list[np.ndarray] = []  # sums of the weights over the averaged epochs
        self.averaged = 0

    def restore(self, model: keras.Model) -> list[dict]:
        """Set the model to the saved state and return the history so far: empty where none is saved.

        Raises:
            ValueError: if the file belongs to another run or cannot be read.
        """
        if self.path is None or not self.path.exists():
            return []
        try:
            with np.load(self.path, allow_pickle=False) as saved:
                state = {name: saved[name] for name in saved.files}
            meta = json.loads(str(state.pop("meta")))
        except Exception as error:
            raise ValueError(
                f"{self.path} cannot be read ({error}): delete it to start this run anew."
            ) from None
        if meta["identity"] != self.identity:
            raise ValueError(
                f"{self.path} is from another recipe, seed, network or dataset: "
                "use another folder or delete it."
            )
        for name, variable in self._variables(model).items():
            variable.assign(state[name])
        self.averaged = meta["averaged"]
        self.sums = [state[f"sum{i}"] for i in range(len(model.weights))] if self.averaged else []
        return meta["history"]

    def save(self, model: keras.Model, history: list[dict], average: bool) -> None:
        """Save the state after an epoch; with `average`, count its weights into the average."""
        if average:
            weights = [keras.ops.convert_to_numpy(w).astype("float64") for w in model.weights]
            self.sums = [s + w for s, w in zip(self.sums, weights, strict=True)] if self.sums else weights
            self.averaged += 1
        if self.path is None:
            return
        state = {name: keras.ops.convert_to_numpy(v) for name, v in self._variables(model).items()}
        state |= {f"sum{i}": total for i, total in enumerate(self.sums)}
        state["meta"] = json.dumps({"identity": self.identity, "averaged": self.averaged, "history": history})
        self.path.parent.mkdir(parents=True, exist_ok=True)
        beside = self.path.with_suffix(".tmp")
        with beside.open("wb") as file:
            np.savez(file, **state)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self.path)

    def finish(self, model: keras.Model, averaged: bool) -> None:
        """Put the averaged weights into the model, if asked for."""
        if averaged:
            for weight, total in zip(model.weights, self.sums, strict=True):
                weight.assign((total / self.averaged).astype(weight.dtype))

    @staticmethod
    def _variables(model: keras.Model) -> dict[str, keras.Variable]:
        """Return every variable of model and optimizer by a name that is the same in each process."""
        model.optimizer.build(model.trainable_variables)
        return {f"model{i}": v for i, v in enumerate(model.variables)} | {
            f"optimizer{i}": v for i, v in enumerate(model.optimizer.variables)
        }
