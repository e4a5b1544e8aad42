"""Arguments of predictions and effects that other packages call otherwise: what they are called here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from inspect import Parameter, signature
from types import MappingProxyType

from formulajoint.errors import InferenceError
from formulajoint.wording import did_you_mean, listed

THEIRS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "new=rows": ("newdata", "new_data", "data", "df", "rows"),
        "new_data=rows": ("newdata", "data", "df", "X"),
        "variable='treatment'": ("variables", "contrast", "contrasts", "wrt", "specs", "x", "terms"),
        "by='school'": ("conditional", "condition", "average_by", "group", "groupby"),
        "at={'age': [20, 60]}": ("variables", "datagrid", "grid"),
        "scale='ratio'": ("comparison", "comparison_type"),
        "compare='pairwise'": ("levels", "method"),
        "step=10": ("delta",),
        "weights='equal'": ("wts",),
        "prob=0.9": ("conf_level", "level", "ci", "ci_level", "hdi_prob", "ci_prob"),
        "kind='response'": ("pps",),
        "kind='linear'": ("type", "transform"),
        "groups='mean'": ("re_formula", "re_form", "include_group_specific"),
        "new_groups='draw'": ("sample_new_groups", "allow_new_levels", "sample_new_levels"),
        "rope=0.1": ("equivalence", "rope_range"),
        "draws=True": ("ndraws", "nsamples", "num_draws", "return_idata", "summary"),
        "seed=1": ("random_seed", "random_state", "rng"),
    }
)
"""The names that marginaleffects, emmeans, brms and Bambi have for arguments of ours, each with an example.

A function has the first of ours that it knows.
"""


_GROUPS = (
    "each row has the coefficients of its group. For the mean of the hierarchy in their place give rows of a group "
    "that the fit has not seen, with `new_groups='mean'`; averages over rows have `groups='mean'`, as in "
    "`fit.means(groups='mean')`"
)
_GRID = "chosen values are rows, such as `new_data=fj.grid(fit, treatment=[0, 1])`"

INSTEAD: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        ("predict", "re_formula"): _GROUPS,
        ("predict", "re_form"): _GROUPS,
        ("predict", "include_group_specific"): _GROUPS,
        ("predict", "datagrid"): _GRID,
        ("predict", "grid"): _GRID,
        (
            "comparisons",
            "eps",
        ): "a derivative is `fit.slopes(...)`, exact where the functions of the column have one; "
        "`step=10` compares values that are 10 apart",
        ("slopes", "eps"): "derivatives are exact where the functions of the column have one: leave it out",
        ("means", "specs"): "the means of emmeans are `by='treatment', new_data=fj.grid(fit, 'balanced')`; "
        "`by='treatment'` alone averages the rows of the data at each of its levels",
    }
)
"""What to do instead of an argument of another package, by our function and its argument."""


def known_arguments[**P, R](function: Callable[P, R]) -> Callable[P, R]:
    """Return a method that names our argument in the place of another package's; its signature stays.

    Examples
    --------
    >>> @known_arguments
    ... def predict(prob: float = 0.95) -> float:
    ...     return prob
    >>> predict(prob=0.9)  # `predict(conf_level=0.9)` raises an InferenceError that names `prob`
    0.9
    """
    found = signature(function).parameters.values()
    own = [each.name for each in found if each.kind is not Parameter.VAR_KEYWORD and each.name != "self"]
    needed = {each.name for each in found if each.default is Parameter.empty and each.name in own}
    others = len(own) < len([each for each in found if each.name != "self"])

    @wraps(function)
    def called(*args: P.args, **kwargs: P.kwargs) -> R:
        refuse_others(function.__name__, kwargs, own, others)
        for name in own[len(args) - 1 :]:  # `self` is among `args`
            if name in needed and name not in kwargs:
                example = next(each for each in THEIRS if each.startswith(f"{name}="))
                raise InferenceError(f"`{function.__name__}` needs `{name}`, such as `{example}`.")
        return function(*args, **kwargs)

    return called


def refuse_others(function: str, names: Iterable[str], own: Iterable[str], others: bool = False) -> None:
    """Raise an InferenceError for an argument that is called otherwise here.

    Parameters
    ----------
    function : str
    names : iterable of str
        The arguments given.
    own : iterable of str
        The function's arguments.
    others : bool
        Whether it takes others, too.
    """
    own = list(own)
    for name in names:
        if name in own:
            continue
        if instead := INSTEAD.get((function, name)):
            raise InferenceError(f"`{function}` has no argument `{name}`: {instead}.")
        examples = (example for example, theirs in THEIRS.items() if name in theirs)
        for example in examples:
            if (ours := example.partition("=")[0]) in own:
                called = f"here it is called `{ours}`, such as `{example}`."
                raise InferenceError(f"`{function}` has no argument `{name}`: {called}")
        if not others:
            hint = did_you_mean(name, own) or f"it has {listed(own, 20)}."
            raise InferenceError(f"`{function}` has no argument `{name}`: {hint}")
