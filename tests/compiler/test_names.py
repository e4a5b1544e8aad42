"""Names of variables and dims: each given once, none that PyMC, xarray or nutpie keep for themselves."""

from __future__ import annotations

import numpy as np
import pymc as pm
import pytest
import xarray
from hypothesis import given
from hypothesis import strategies as st
from pymc.util import is_transformed_name

from formulajoint.compiler.names import RESERVED, Names, coefficient, columns, plain
from formulajoint.design.schema import Factor, Grouping, Term


def term(name, *factors):
    width = int(np.prod([len(factor.labels) for factor in factors])) if factors else 1
    return Term(name, np.zeros((2, width)), factors, np.zeros(width), np.ones(width))


def test_a_name_that_is_taken():
    names = Names()
    assert [names.variable("joint_x") for _ in range(4)] == ["joint_x", "joint_x_", "joint_x_2", "joint_x_3"]
    assert [names.variable("joint_x_") for _ in range(2)] == ["joint_x__2", "joint_x__3"]


def test_text_becomes_a_name():
    assert plain("`x/y`:`my col`") == "x_y:my col"
    assert Names().variable("`a b`") == "a b"


def test_variables_and_dims_share_one_table():
    names = Names()
    assert names.variable("arm") == "arm"
    assert names.dim("arm", ("a", "b")) == "arm_"
    assert names.dim("school", ("A", "B")) == "school"
    assert names.variable("school") == "school_"
    assert names.rows_dim("obs") == "obs"
    assert names.variable("obs") == "obs_"
    assert names.dim("obs", ("a",)) == "obs_2"


def test_the_rows_dim_gives_way():
    names = Names()
    names.variable("obs")
    assert names.rows_dim("obs") == "obs_"
    assert names.coords == {}


def test_a_dim_is_shared_where_the_labels_are():
    names = Names()
    assert names.dim("arm_dim", ("a", "b")) == "arm_dim"
    assert names.dim("arm_dim", ("a", "b")) == "arm_dim"
    assert names.dim("arm_dim", ("b", "c")) == "arm_dim_"
    assert names.dim("arm_dim", ("b", "c")) == "arm_dim_"
    assert names.coords == {"arm_dim": ("a", "b"), "arm_dim_": ("b", "c")}


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_reserved(name):
    names = Names()
    assert not names.is_free(name)
    assert names.variable(name) == f"{name}_"
    assert names.dim(name, ("a",)) == f"{name}_2"
    assert Names("maths").variable(name) == f"maths_{name}"


def test_xarray_has_no_place_for_the_reserved_names():
    """Why they are reserved: draws of such a variable make no data set, or one whose chains cannot be joined."""
    draws = np.zeros((2, 3))
    for name in ("chain", "draw"):
        with pytest.raises(ValueError, match=name):
            xarray.Dataset({name: (("chain", "draw"), draws)}, coords={name: np.arange(2)})
    whole = xarray.Dataset({"sample": (("chain", "draw"), draws), "x": (("chain", "draw"), draws)})
    assert list(whole.stack(sample=["chain", "draw"]).data_vars) == ["x"]  # lost without a word


@given(
    st.lists(st.sampled_from(["x", "x_", "x__", "joint_x", "joint_x__", "a_b__", "sigma_log__"]), max_size=12)
)
def test_no_name_is_given_twice_or_looks_transformed(wanted):
    names = Names()
    given_names = [names.variable(name) for name in wanted]
    assert len(set(given_names)) == len(given_names)
    assert not any(is_transformed_name(name) or name.endswith("__") for name in given_names)
    assert names.variables == set(given_names)


def test_pymc_drops_what_looks_transformed():
    """Why no name ends in two underscores."""
    with pm.Model() as model:
        pm.Deterministic("joint_x__", pm.Normal("x"))
    assert "joint_x__" not in [
        v.name for v in pm.util.get_default_varnames(model.unobserved_value_vars, False)
    ]


def test_is_free_says_whether_the_very_name_can_be_had():
    names = Names("maths")
    names.variable("x")
    names.dim("school", ("A",))
    assert not names.is_free("x")
    assert not names.is_free("school")
    assert not names.is_free("y__")
    assert names.is_free("maths_x")
    assert names.is_free("chain")


def test_a_prefix_stands_before_all():
    names = Names("maths")
    assert names.variable("x") == "maths_x"
    assert names.dim("school", ("A",)) == "maths_school"
    assert names.rows_dim("obs") == "maths_obs"


def test_a_comma_in_a_dim():
    assert Names().dim("stadt, land", ("a",)) == "stadt; land"
    assert Names().variable("stadt, land") == "stadt, land"


def test_dims_of_groups_and_factors():
    names = Names()
    grouping = Grouping("district:school", ("district", "school"), ("a/b", "a/c"), np.zeros(2, int))
    assert names.group_dim(grouping) == "district:school"
    assert names.factor_dims(term("x")) == ()
    arm, wool = Factor("arm", ("a", "b")), Factor("wool", ("A", "B", "C"))
    assert names.factor_dims(term("arm:wool", arm, wool)) == ("arm_dim", "wool_dim")


def test_coefficients():
    assert coefficient("mu", term("x")) == "x"
    assert coefficient("sigma", term("x")) == "sigma_x"
    assert coefficient("nu", term("Intercept")) == "nu_Intercept"


def test_labels_of_columns():
    """One factor needs no name, several do; the last runs fastest."""
    arm, wool = Factor("arm", ("a", "b")), Factor("wool", ("A", "B"))
    assert columns(term("x")) == ("x",)
    assert columns(term("`x/y`")) == ("x_y",)
    assert columns(term("arm", arm)) == ("arm[a]", "arm[b]")
    assert columns(term("arm:wool", arm, wool)) == (
        "arm:wool[arm=a, wool=A]",
        "arm:wool[arm=a, wool=B]",
        "arm:wool[arm=b, wool=A]",
        "arm:wool[arm=b, wool=B]",
    )
    assert columns(term("arm", Factor("arm", ("x=1", "y")))) == ("arm[x=1]", "arm[y]")
