"""When the warehouse is built because raw files have changed."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Final

import dagster as dg

from orchestration.jobs import build_warehouse
from orchestration.raw_files import RawFile, fingerprint, list_files
from warehouse.raw_files import check_source, read_sources

CHANGED_FILES_TAG: Final = "raw_files/changed"


@dataclass(frozen=True)
class FileState:
    """What a tick knows of a file.

    Attributes:
        size: Its bytes; None if it is absent.
        modified_at: Its time of modification in nanoseconds; None if it is absent.
        fingerprint: The version of its content.
    """

    size: int | None
    modified_at: int | None
    fingerprint: str


@dataclass(frozen=True)
class Cursor:
    """What the sensor remembers from one tick to the next.

    Attributes:
        changes: How often it has seen a change. It makes the run key of a content that comes back
            (A, B, A) a new one, whereas a tick that is evaluated twice gives the same key twice.
        files: The state of each file, by its key.
    """

    changes: int = 0
    files: Mapping[str, FileState] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str | None) -> "Cursor":
        """Read a cursor; None is that of the first tick, which knows no file."""
        if text is None:
            return cls()
        values = json.loads(text)
        files = {name: FileState(**state) for name, state in values["files"].items()}
        return cls(values["changes"], files)

    def render(self) -> str:
        """Return the cursor as text."""
        return json.dumps(asdict(self), sort_keys=True)


def look(files: Iterable[RawFile], seen: Cursor) -> dict[str, FileState]:
    """Return the state of the files, reading only those whose size or time has changed.

    Args:
        files: The files to look at.
        seen: What the last tick knew.
    """
    found = {}
    for file in files:
        name = file.key.to_user_string()
        stat = file.path.stat() if file.path.exists() else None
        size, modified_at = (stat.st_size, stat.st_mtime_ns) if stat else (None, None)
        known = seen.files.get(name)
        if known and (known.size, known.modified_at) == (size, modified_at):
            found[name] = known
        else:
            found[name] = FileState(size, modified_at, fingerprint(file.path))
    return found


def changed_files(before: Mapping[str, FileState], after: Mapping[str, FileState]) -> list[str]:
    """Return the files whose content is not what it was: new, changed or gone.

    Args:
        before: The states of the last tick.
        after: The states of this one.
    """

    def version(states: Mapping[str, FileState], name: str) -> str | None:
        return states[name].fingerprint if name in states else None

    names = sorted(before.keys() | after.keys())
    return [name for name in names if version(before, name) != version(after, name)]


@dg.sensor(
    description="Builds everything when the content of a raw file has changed.",
    job=build_warehouse,
    minimum_interval_seconds=60,
    # As for the schedule: turned on where the warehouse is run, not wherever the UI is opened.
    default_status=dg.DefaultSensorStatus.STOPPED,
)
def raw_files_changed(
    context: dg.SensorEvaluationContext,
) -> dg.SensorResult | dg.SkipReason:
    """Request a build if a raw file has changed since the last tick.

    A file that cannot be used, such as one that is still being copied, is waited for.
    """
    sources = read_sources()
    problems = [problem for source in sources for problem in check_source(source)]
    if problems:
        return dg.SkipReason("Waiting for raw files that can be used: " + "; ".join(problems))

    seen = Cursor.parse(context.cursor)
    found = look(list_files(sources), seen)
    changed = changed_files(seen.files, found)
    if not changed:
        return dg.SensorResult(
            skip_reason=f"None of {len(found)} raw files has changed",
            cursor=Cursor(seen.changes, found).render(),
        )
    now = Cursor(seen.changes + 1, found)
    return dg.SensorResult(
        run_requests=[
            dg.RunRequest(run_key=run_key(now), tags={CHANGED_FILES_TAG: ", ".join(changed)})
        ],
        cursor=now.render(),
    )


def run_key(cursor: Cursor) -> str:
    """Return the key of the run that a change asks for.

    Args:
        cursor: The cursor after the change.
    """
    versions = {name: state.fingerprint for name, state in cursor.files.items()}
    digest = hashlib.sha256(json.dumps(versions, sort_keys=True).encode()).hexdigest()
    return f"{cursor.changes}-{digest[:16]}"
