"""Files that are whole or not there."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from formulajoint.errors import StoreError


def path_of(path: object) -> Path:
    """Return `path` as a path.

    Raises
    ------
    StoreError
        Where it is neither a text nor a path.
    """
    if not isinstance(path, str | os.PathLike):
        raise StoreError(f"A file is named by a text or a path, not by {path!r}.")
    return Path(path)


def write_whole(target: Path, *parts: bytes) -> None:
    """Write `parts` to `target`, under another name until all is there; what was there is replaced then.

    Raises
    ------
    StoreError
        Where it cannot be written; what was there stays.
    """
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        with part.open("xb") as file:
            file.writelines(parts)
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    except OSError as error:
        raise StoreError(f"{target} cannot be written: {error.strerror or error}.") from error
    finally:
        with suppress(OSError):
            part.unlink()
