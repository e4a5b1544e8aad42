"""Write files atomically."""

from __future__ import annotations

import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from formulajoint.errors import StoreError


def path_of(path: object) -> Path:
    """Return `path` as a path.

    Raises
    ------
    StoreError
        If it is neither a string nor a path.
    """
    if not isinstance(path, str | os.PathLike):
        raise StoreError(f"A file name must be a text or a path, not {path!r}.")
    if "\0" in os.fsdecode(path):
        raise StoreError(f"A file name cannot hold a zero character: {os.fsdecode(path)!r}.")
    return Path(os.fsdecode(path))


def write_whole(target: Path, *parts: bytes) -> None:
    """Write `parts` to a temporary file, which then replaces `target`: with its mode, and where a link leads.

    Raises
    ------
    StoreError
        If it cannot be written; an existing `target` stays.
    """
    place = Path(os.path.realpath(target))
    part = place.with_name(f".{place.name}.{secrets.token_hex(4)}.part")
    try:
        with part.open("xb") as file:
            file.writelines(parts)
            file.flush()
            os.fsync(file.fileno())
        if place.exists():
            part.chmod(stat.S_IMODE(place.stat().st_mode))
        part.replace(place)
    except OSError as error:
        raise StoreError(f"{target} cannot be written: {error.strerror or error}.") from error
    finally:
        with suppress(OSError):
            part.unlink()
