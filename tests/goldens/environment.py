"""What records rest on besides the package: versions, and the arithmetic of the machine."""

from __future__ import annotations

import platform
from importlib.metadata import version

import numpy as np

from goldens.writing import Lines, hashed

PACKAGES = (
    "arviz",
    "h5netcdf",
    "jinja2",
    "lark",
    "matplotlib",
    "numpy",
    "pandas",
    "pymc",
    "pytensor",
    "scipy",
    "xarray",
)


def environment() -> Lines:
    """Return the versions of the libraries, and a hash of what this machine makes of some arithmetic."""
    versions = [f"{name} {version(name)}" for name in PACKAGES]
    return [f"python {platform.python_version()}", *versions, f"arithmetic {arithmetic()}"]


def arithmetic() -> str:
    """Return the hash of products, decompositions and functions of fixed numbers: it differs between kinds of machines."""
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(40, 12)), rng.normal(size=(7, 30, 5))
    parts = [
        a.T @ a,
        np.linalg.qr(a, mode="r"),
        np.linalg.svd(a, compute_uv=False),
        np.linalg.qr(b, mode="r"),
        np.linalg.solve(a.T @ a, a.T @ a[:, 0]),
        np.exp(a) + np.log(np.abs(a)) + np.sqrt(np.abs(a)) + np.log1p(a**2),
        np.einsum("ij,kj->ik", a, a),
    ]
    return hashed(b"".join(np.ascontiguousarray(part).tobytes() for part in parts))
