"""Where the arithmetic on groups is done: by NumPy, or by CuPy, Torch or JAX, on a GPU or the CPU.

All differences between the libraries are handled here. Arrays with an axis of groups are computed on the device; arrays
as small as phi stay in NumPy, and so do all random numbers. A library is loaded when a device of it is requested.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from formulajoint.arrays import Array, FloatArray, IntArray
from formulajoint.errors import InferenceError
from formulajoint.wording import did_you_mean, listed

CPU_PAIRS, GPU_PAIRS = 2**16, 2**22
"""Pairs of a point and a group in a block: few enough for the cache of a CPU, enough to keep a GPU busy."""

SUMS = ("n...->...", "n...,n...->...")
"""Sums of arrays and of products over the first axis."""

EXAMPLES = (
    *("cpu", "cuda", "cuda:1", "cupy", "cupy:cuda"),
    *("torch", "torch:cpu", "torch:cuda:1", "jax", "jax:cpu", "jax:cuda:1"),
)
"""Device names that an error suggests."""


@dataclass(frozen=True, slots=True, eq=False)
class Device:
    """A library of arrays, and a place where it keeps them.

    Attributes
    ----------
    name : str
    xp : module
        The library's functions, under the names of the array API standard.
    at : object
        The place, as an object of the library.
    to_numpy : callable
        Copies an array of the library, wherever it is, into one of NumPy's.
    scope : callable
        Returns a context in which the library computes at the place, in float64.
    pairs : int
        Pairs of a point and a group in a block, if they fit into memory.
    compiles : bool
        Whether the library compiles its functions again for every shape of arrays.
    """

    name: str
    xp: Any
    at: object
    to_numpy: Callable[[Array], FloatArray]
    scope: Callable[[], AbstractContextManager[object]] = nullcontext
    pairs: int = CPU_PAIRS
    compiles: bool = False

    def put(self, values: NDArray[Any]) -> Array:
        """Return a NumPy array on the device."""
        if self.xp is np:
            return values
        array = self.xp.asarray(values, device=self.at)
        if values.dtype == np.float64:
            self._check(array)
        return array

    def get(self, array: Array) -> FloatArray:
        """Return an array on the device as a NumPy array."""
        self._check(array)
        return self.to_numpy(array)

    def zeros(self, shape: tuple[int, ...]) -> Array:
        """Return zeros on the device."""
        return self.xp.zeros(shape, dtype=self.xp.float64, device=self.at)

    def copy(self, array: Array) -> Array:
        """Return a copy, which may be changed in place."""
        return array.copy() if self.xp is np else self.xp.asarray(array, copy=True)

    def chosen(self, array: Array, places: IntArray) -> Array:
        """Return elements of an array on the device, by their places along its last axis."""
        if self.xp is np:
            return array[..., places]
        return self.xp.take(array, self.put(places), axis=-1)

    def summed(self, one: Array, *other: Array) -> Array:
        """Return the sum of an array, or of the product of two, over the first axis."""
        if self.xp is np:  # without an array of the products
            return np.asarray(np.einsum(SUMS[len(other)], one, *other))
        return self.xp.sum(one * other[0] if other else one, axis=0)

    def _check(self, array: Array) -> None:
        if array.dtype != self.xp.float64:
            raise InferenceError(
                f"`{self.name}` computes in {array.dtype}, not in float64. Leave `device` out."
            )


NUMPY = Device("cpu", np, "cpu", np.asarray)


@dataclass(frozen=True, slots=True)
class Library:
    """A library that can take NumPy's place.

    Attributes
    ----------
    title, install : str
        Its name, and what pip has to install.
    kinds : tuple of str
        Kinds of places where it computes, the preferred one first.
    gpus : callable
        Returns the number of GPUs it finds.
    place : callable
        Returns the device of a kind and a number.
    compat : bool
        Whether it is called through array-api-compat, since not all of its functions follow the standard.
    """

    title: str
    install: str
    kinds: tuple[str, ...]
    gpus: Callable[[], int]
    place: Callable[[str, int], Device]
    compat: bool


def find_device(name: str | None) -> Device:
    """Return the device called `name`; NumPy for None.

    Raises
    ------
    InferenceError
        If there is no such device, its library is not installed, or it finds no such GPU.
    """
    if name is None or str(name) in ("cpu", "numpy"):
        return NUMPY
    library, kind, number = _read(name)
    return _first_gpu(number) if library is None else _in_library(library, kind, number)


def _read(name: object) -> tuple[str | None, str, int]:
    """Return library, kind of place and number; the kind is empty if only the library is named."""
    first, *rest = str(name).split(":")
    library = first if first in LIBRARIES else None
    kinds = LIBRARIES[first].kinds if library else ("cuda",)
    match rest if library else [first, *rest]:
        case []:
            return library, "", 0
        case ["cpu"] if "cpu" in kinds:
            return library, "cpu", 0
        case ["cuda" | "gpu"]:
            return library, "cuda", 0
        case ["cuda" | "gpu", number] if number.isdecimal():
            return library, "cuda", int(number)
    hint = did_you_mean(str(name), EXAMPLES) or f"there are {listed(EXAMPLES, len(EXAMPLES))}."
    raise InferenceError(f"There is no device `{name}`: {hint}")


def _first_gpu(number: int) -> Device:
    """Return a GPU by the first installed library that finds it."""
    there = [name for name in LIBRARIES if find_spec(name) is not None]
    if not there:
        raise InferenceError(
            "A GPU is reached by CuPy, Torch or JAX, and none is installed: pip install "
            f"{LIBRARIES['cupy'].install}, or leave `device` out."
        )
    found = next((name for name in there if _count(name) > number), None)
    if found is None:
        raise InferenceError(
            f"No GPU{f' {number}' if number else ''} is seen by {_or(there)}. "
            f"Install {_or(LIBRARIES)} for your version of CUDA, or leave `device` out."
        )
    return _in_library(found, "cuda", number)


def _or(names: Iterable[str]) -> str:
    return " or ".join(LIBRARIES[name].title for name in names)


def _in_library(name: str, kind: str, number: int) -> Device:
    library = LIBRARIES[name]
    if find_spec(name) is None:
        raise InferenceError(f"`{name}` is not installed: pip install {library.install}.")
    if library.compat and find_spec("array_api_compat") is None:
        raise InferenceError(
            f"{library.title} needs array-api-compat beside it: pip install 'formulajoint[gpu]'."
        )
    count = 0 if kind == "cpu" else _count(name)
    kind = kind or (library.kinds[0] if count else library.kinds[-1])
    if kind == "cuda" and not count:
        raise InferenceError(
            f"{library.title} sees no GPU: install it for your version of CUDA, or leave `device` out."
        )
    if kind == "cuda" and number >= count:
        seen = "1 GPU" if count == 1 else f"{count} GPUs"
        raise InferenceError(f"{library.title} sees {seen}, and the last is `{name}:cuda:{count - 1}`.")
    return library.place(kind, number)


def _count(name: str) -> int:
    """Return the number of GPUs a library finds; 0 if it cannot be loaded, as without CUDA."""
    try:
        return LIBRARIES[name].gpus()
    except ImportError:
        return 0


def _cupy_gpus() -> int:
    import cupy

    return int(cupy.cuda.runtime.getDeviceCount()) if cupy.is_available() else 0


def _cupy(_: str, number: int) -> Device:
    import cupy
    from array_api_compat import cupy as xp

    at = cupy.cuda.Device(number)
    return Device(f"cupy:cuda:{number}", xp, at, cupy.asnumpy, lambda: cupy.cuda.Device(number), GPU_PAIRS)


def _torch_gpus() -> int:
    import torch

    return int(torch.cuda.device_count()) if torch.cuda.is_available() else 0


def _torch(kind: str, number: int) -> Device:
    import torch
    from array_api_compat import torch as xp

    at = torch.device("cpu") if kind == "cpu" else torch.device("cuda", number)
    return Device(f"torch:{at}", xp, at, lambda array: array.cpu().numpy(), pairs=_pairs(kind))


def _jax_gpus() -> int:
    import jax

    try:
        return len(jax.local_devices(backend="gpu"))
    except RuntimeError:  # there is no such backend
        return 0


def _jax(kind: str, number: int) -> Device:
    import jax

    if not hasattr(jax, "enable_x64"):
        raise InferenceError(f"JAX {jax.__version__} is too old: pip install --upgrade 'jax>=0.8'.")
    at = jax.local_devices(backend="cpu" if kind == "cpu" else "gpu")[number]
    name = f"jax:{kind}" if kind == "cpu" else f"jax:{kind}:{number}"
    return Device(name, jax.numpy, at, np.asarray, lambda: jax.enable_x64(True), _pairs(kind), True)


def _pairs(kind: str) -> int:
    return CPU_PAIRS if kind == "cpu" else GPU_PAIRS


LIBRARIES = {
    "cupy": Library("CuPy", "cupy-cuda13x", ("cuda",), _cupy_gpus, _cupy, compat=True),
    "torch": Library("Torch", "torch", ("cuda", "cpu"), _torch_gpus, _torch, compat=True),
    "jax": Library("JAX", "jax", ("cuda", "cpu"), _jax_gpus, _jax, compat=False),
}
"""Libraries by name, in the order in which ``device="cuda"`` tries them."""
