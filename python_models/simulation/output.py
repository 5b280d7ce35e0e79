"""The folder of a simulation, which appears only once it is complete."""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

MARKER: Final = "simulation.json"
"""The file that tells all parameters, and by which a simulation knows what it may replace."""


@contextmanager
def fresh_folder(folder: Path, parameters: Mapping[str, object]) -> Iterator[Path]:
    """Give a folder to write to, which takes its place when all went well.

    Args:
        folder: The place; an earlier simulation there is replaced.
        parameters: What the simulation is, for its marker.

    Raises:
        FileExistsError: If there is anything in the place but an earlier simulation.
    """
    is_taken = folder.exists() and (not folder.is_dir() or any(folder.iterdir()))
    if is_taken and not (folder / MARKER).is_file():
        raise FileExistsError(f"{folder} holds what no simulation wrote; name another folder")
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        yield partial
        text = json.dumps(parameters, indent=2, default=str)
        (partial / MARKER).write_text(text + "\n", encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
