"""Where groups are computed: any place of any library, in float64, within bounded memory; and what is refused."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import array_api_strict
import numpy as np
import pandas as pd
import pytest

import formulajoint as fj
from formulajoint.errors import InferenceError
from formulajoint.inference.gaussian import marginal
from formulajoint.inference.gaussian.coefficients import draw_coefficients
from formulajoint.inference.gaussian.draws import Draws, draw
from formulajoint.inference.gaussian.marginal import blocks, kernel, log_likelihood
from formulajoint.inference.gaussian.reduction import Reduction, reduce
from formulajoint.inference.latent import device
from formulajoint.inference.latent.device import GPU_PAIRS, LIBRARIES, NUMPY, Device, Library, find_device

DATA = Path(__file__).parents[2] / "data"

# Arrays in two places of array-api-strict cannot be combined, and those of the second cannot be read by NumPy.
FIRST, SECOND = (array_api_strict.Device(name) for name in ("CPU_DEVICE", "device1"))
ELSEWHERE = Device(
    "elsewhere", array_api_strict, SECOND, lambda array: np.asarray(array.to_device(FIRST)), pairs=1000
)


def made(rows: int = 60, groups: int = 4, columns: str = "xz") -> pd.DataFrame:
    rng = np.random.default_rng(4)
    data = pd.DataFrame(rng.normal(size=(rows, 1 + len(columns))), columns=["y", *columns])
    return data.assign(g=np.arange(rows) % groups)


FITS = {
    "as in the README": ("test_score ~ treatment | school, joint(weights=n)", fj.tutoring()),
    "flat": ("y ~ x | g, prior(x ~ flat())", made()),
    "a hierarchy": ("Reaction ~ Days | Subject, hierarchy()", pd.read_csv(DATA / "sleepstudy.csv")),
    "shared": ("y ~ x + common(z) | g, hierarchy()", made()),
    "a sigma each": ("y ~ x | g, sigma ~ 1 | g", made()),
    "sigmas and a hierarchy": ("y ~ x | g, hierarchy(cor=false), sigma ~ 1 | g", made()),
    "Student": ("test_score ~ treatment | school, hierarchy(dist=student)", fj.tutoring()),
    "no groups": ("y ~ x * z", made()),
    "nothing unknown": ("y ~ x | g, prior(sigma ~ constant(1))", made()),
}


def reduction_of(name: str) -> Reduction:
    formula, data = FITS[name]
    return reduce(fj.model(formula, data).plan)


def assert_equal(one: Draws, other: Draws) -> None:
    """Hold two fits to be the same but for rounding, which the search for the mode and for a proposal enlarges."""
    for name in ("values", "theta", "beta"):
        assert np.allclose(getattr(one, name), getattr(other, name), rtol=1e-7, atol=1e-7)
    assert np.allclose(
        (one.log_evidence, one.error), (other.log_evidence, other.error), rtol=1e-8, equal_nan=True
    )


# --- the same everywhere


@pytest.mark.parametrize("name", FITS)
def test_all_is_computed_in_the_place_that_is_asked_for(name: str) -> None:
    reduction = reduction_of(name)
    assert_equal(draw(reduction, 50, 2, 1), draw(reduction, 50, 2, 1, ELSEWHERE))


@pytest.mark.parametrize("library", ["torch", "jax"])
@pytest.mark.parametrize("name", ["as in the README", "a hierarchy", "a sigma each", "Student"])
def test_a_library_that_is_installed_draws_the_same(library: str, name: str) -> None:
    pytest.importorskip(library)
    if LIBRARIES[library].compat:
        pytest.importorskip("array_api_compat")
    reduction = reduction_of(name)
    assert_equal(draw(reduction, 50, 2, 1), draw(reduction, 50, 2, 1, find_device(f"{library}:cpu")))


def test_a_fit_takes_the_name_of_a_device() -> None:
    formula, data = FITS["as in the README"]
    one, other = (fj.fit(formula, data, seed=1, draws=50, device=name) for name in (None, "cpu"))
    assert one.contrasts().equals(other.contrasts())
    with pytest.raises(InferenceError, match="did you mean `cuda`"):
        fj.fit(formula, data, device="cudda")


@pytest.mark.parametrize("way", ["there", "back"])
def test_less_than_double_precision_is_refused(way: str) -> None:
    class Single:
        float64 = np.float64

        @staticmethod
        def asarray(values: object, device: object) -> object:
            return np.asarray(values, dtype=np.float32)

    single = Device("single", Single, None, np.asarray)
    with pytest.raises(InferenceError, match="`single` computes in float32, not in float64"):
        single.put(np.ones(2)) if way == "there" else single.get(np.ones(2, np.float32))


def test_jax_outside_its_scope_is_refused() -> None:
    jax = pytest.importorskip("jax")
    if jax.config.jax_enable_x64:
        pytest.skip("JAX computes in float64 everywhere")
    with pytest.raises(InferenceError, match="`jax:cpu` computes in float32"):
        kernel(reduction_of("a hierarchy"), find_device("jax:cpu"))


# --- memory

MEMORY_OF = {
    "one group": ("y ~ (a + b + c + d + e) ** 2 | g", made(60, 1, "abcde")),
    "two groups": ("y ~ x * z * v | g", made(60, 2, "xzv")),
    "many columns": ("y ~ (a + b + c + d + e) ** 2 | g", made(2000, 50, "abcde")),
    "shared columns": ("y ~ x + common(a * b * c) | g, hierarchy()", made(400, 40, "xabc")),
    "many groups": ("y ~ x | g, hierarchy()", made(9000, 3000)),
    "more groups than a block has pairs": ("y ~ x | g, hierarchy()", made(50_000, 40_000)),
}


@pytest.mark.parametrize("name", MEMORY_OF)
def test_a_block_stays_within_the_memory_that_is_promised(name: str) -> None:
    formula, data = MEMORY_OF[name]
    reduction = reduce(fj.model(formula, data).plan)
    core, p, t = kernel(reduction), len(reduction.structure.base), len(reduction.structure.reference)
    promised = 8 * max(NUMPY.pairs, reduction.structure.groups) * (p + 2) * (p + t + 3)
    count = 3 * next(blocks(reduction.structure, 10**9)).stop
    points = np.random.default_rng(1).normal(0, 0.3, (count, len(reduction.structure.scales.coordinates)))
    at_points = 8 * count * len(reduction.structure.scales.cells)
    likelihood = peak(lambda: [log_likelihood(core, points)])
    coefficients = peak(lambda: draw_coefficients(core, points, np.random.default_rng(2)))
    assert likelihood - at_points < promised
    assert coefficients - at_points < promised


def peak(compute: object) -> int:
    """Return the bytes that a computation takes beside its results, arrays, at the most."""
    tracemalloc.start()
    result: Iterable[np.ndarray] = compute()  # type: ignore[operator]
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most - sum(array.nbytes for array in result)


def test_a_device_takes_larger_blocks_as_far_as_memory_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    reduction = reduction_of("a hierarchy")
    arrays = (2 + 2) * (2 + 2 + 3)  # p = t = 2, and 18 subjects
    assert next(blocks(reduction.structure, 10**9, GPU_PAIRS)).stop == GPU_PAIRS // 18
    monkeypatch.setattr(marginal, "MEMORY", 10**6)
    assert next(blocks(reduction.structure, 10**9, GPU_PAIRS)).stop == 10**6 // (8 * arrays) // 18
    monkeypatch.setattr(marginal, "MEMORY", 0)
    assert [block.stop for block in blocks(reduction.structure, 3, GPU_PAIRS)] == [1, 2, 3]


# --- names


def stand_in(monkeypatch: pytest.MonkeyPatch, compat: bool = True, **gpus: int) -> None:
    """Let the libraries that are named be installed and see so many GPUs; -1 for one that cannot be loaded."""

    def library(name: str) -> Library:
        def count() -> int:
            if gpus[name] < 0:
                raise ImportError("no CUDA")
            return gpus[name]

        def place(kind: str, number: int) -> Device:
            return replace(NUMPY, name=f"{name}:{kind}:{number}")

        return replace(LIBRARIES[name], gpus=count, place=place)

    there = {*gpus, *(["array_api_compat"] if compat else [])}
    monkeypatch.setattr(device, "find_spec", lambda name: name if name in there else None)
    monkeypatch.setattr(device, "LIBRARIES", {name: library(name) for name in LIBRARIES})


@pytest.mark.parametrize("name", [None, "cpu", "numpy"])
def test_numpy_needs_no_library(name: str | None) -> None:
    assert find_device(name) is NUMPY


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("cuda", "torch:cuda:0"),
        ("gpu", "torch:cuda:0"),
        ("cuda:1", "jax:cuda:1"),
        ("torch", "torch:cuda:0"),
        ("torch:cpu", "torch:cpu:0"),
        ("torch:cuda", "torch:cuda:0"),
        ("jax:gpu", "jax:cuda:0"),
        ("jax:cuda:1", "jax:cuda:1"),
    ],
)
def test_a_name_says_library_and_place_or_leaves_them_open(
    name: str, found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(monkeypatch, cupy=-1, torch=1, jax=2)
    assert find_device(name).name == found


def test_a_library_alone_is_the_cpu_where_it_sees_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, torch=0)
    assert find_device("torch").name == "torch:cpu:0"


EVERY = (
    "there are `cpu`, `cuda`, `cuda:1`, `cupy`, `cupy:cuda`, `torch`, `torch:cpu`, `torch:cuda:1`, "
    "`jax`, `jax:cpu`, `jax:cuda:1`."
)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("tourch", "did you mean `torch`?"),
        ("torch:cup", "did you mean `torch:cpu`?"),
        ("torch:cuda:first", "did you mean `torch:cuda:1`?"),
        ("cupy:cpu", "did you mean `cupy:cuda`?"),
        ("torch:", "did you mean `torch`?"),
        ("mps", EVERY),
        ("", EVERY),
        (0, EVERY),
    ],
)
def test_an_unknown_device_is_told_its_nearest_name_or_all(name: str, hint: str) -> None:
    with pytest.raises(InferenceError) as error:
        find_device(name)
    assert str(error.value) == f"There is no device `{name}`: {hint}"


MISSING = [
    (
        "cuda",
        {},
        "A GPU is reached by CuPy, Torch or JAX, and none is installed: pip install cupy-cuda13x, or leave `device` out.",
    ),
    (
        "cuda",
        {"torch": 0, "jax": 0},
        "No GPU is seen by Torch or JAX. Install CuPy or Torch or JAX for your version of CUDA, or leave `device` out.",
    ),
    (
        "cuda:2",
        {"torch": 2},
        "No GPU 2 is seen by Torch. Install CuPy or Torch or JAX for your version of CUDA, or leave `device` out.",
    ),
    ("torch:cpu", {"jax": 1}, "`torch` is not installed: pip install torch."),
    ("cupy", {"cupy": -1}, "CuPy sees no GPU: install it for your version of CUDA, or leave `device` out."),
    ("jax:cuda", {"jax": 0}, "JAX sees no GPU: install it for your version of CUDA, or leave `device` out."),
    ("jax:cuda:1", {"jax": 1}, "JAX sees 1 GPU, and the last is `jax:cuda:0`."),
    ("torch:cuda:7", {"torch": 4}, "Torch sees 4 GPUs, and the last is `torch:cuda:3`."),
]


@pytest.mark.parametrize(("name", "gpus", "message"), MISSING)
def test_a_device_that_is_not_there_says_what_to_do(
    name: str, gpus: dict[str, int], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(monkeypatch, **gpus)
    with pytest.raises(InferenceError) as error:
        find_device(name)
    assert str(error.value) == message


@pytest.mark.parametrize("name", ["torch:cpu", "cuda"])
def test_what_must_stand_between_is_asked_for(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, compat=False, torch=1)
    with pytest.raises(InferenceError) as error:
        find_device(name)
    assert str(error.value) == "Torch needs array-api-compat beside it: pip install 'formulajoint[gpu]'."
