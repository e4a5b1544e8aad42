"""Arguments of predictions and effects that other packages call otherwise: what they are called here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from inspect import Parameter, signature
from types import MappingProxyType
from typing import NoReturn

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


METHODS: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("hypothesis", "hypotheses"), "fit.test('x == 0')"),
        **dict.fromkeys(
            ("predictions", "posterior_predict", "predicted", "posterior_epred", "fitted"), "fit.predict()"
        ),
        **dict.fromkeys(("avg_predictions", "marginal_means", "emmeans", "margins"), "fit.means(by='x')"),
        **dict.fromkeys(("avg_comparisons", "marginal_effects", "contrasts_of"), "fit.comparisons('x')"),
        "avg_slopes": "fit.slopes('x')",
        **dict.fromkeys(("pp_check", "ppc", "posterior_predictive_check"), "fit.plot.ppc()"),
        **dict.fromkeys(("ranef", "coef", "random_effects", "fixef", "params"), "fit.coefficients()"),
        **dict.fromkeys(("waic", "psis_loo"), "fit.loo()"),
        "loo_compare": "fj.compare(first, second)",
        **dict.fromkeys(("conditional_effects", "plot_predictions"), "fit.plot.effects('x')"),
        **dict.fromkeys(("conf_int", "confint", "posterior_interval"), "fit.summary()"),
        "bayes_factor": "fit.test()",
        **dict.fromkeys(("as_draws", "as_dataframe", "extract", "trace"), "fit.posterior"),
        **dict.fromkeys(("to_netcdf", "write"), "fit.save('fit.nc')"),
        **dict.fromkeys(("anova", "wald_test", "f_test"), "fit.test()"),
    }
)
"""Methods of fits in other packages -> what to write."""


def answers_for_others[T](fit: type[T]) -> type[T]:
    """Return a class that answers with our name where another package's method is asked of it."""

    def missing(self: T, name: str) -> NoReturn:
        if name in dir(type(self)):  # a property that failed: its own error
            object.__getattribute__(self, name)
        ours = METHODS.get(name)
        own = [each for each in dir(type(self)) if not each.startswith("_")]
        near = "" if name.startswith("_") else did_you_mean(name, own)
        hint = f": here it is `{ours}`" if ours else f": {near}" if near else ""
        raise AttributeError(f"A fit has no `{name}`{hint}", name=name, obj=self)

    fit.__getattr__ = missing  # type: ignore[attr-defined]
    return fit


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
        (
            "comparisons",
            "transform",
        ): "ratios are `scale='ratio'`, odds ratios `scale='odds_ratio'`; beside coefficients on "
        "a log scale `fit.summary()` has their exponentials",
        ("slopes", "transform"): "ratios are those of `fit.comparisons(variable, scale='ratio')`",
        **dict.fromkeys(
            (("summary", "transform"), ("summary", "exponentiate")),
            "the exponentials of effects on a log scale stand beside them, such as odds ratios",
        ),
        **dict.fromkeys(
            (("summary", "parameters"), ("summary", "var_names")),
            "it has every parameter: choose rows of the table, `fit.summary().loc['x']`",
        ),
        (
            "test",
            "scale",
        ): "the scale stands in the text, `fit.test('x == 0, scale=response')` with the name of a term for x",
        ("test", "by"): "the groups stand in the text, `fit.test('x == 0, over=school')`",
        (
            "forest",
            "transform",
        ): "it draws effects on the scale of their table; `fit.plot.comparisons('x', scale='ratio')` "
        "draws ratios",
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
