"""Functions from a formula and data to a model or a fit, in one call."""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING, Any, Literal

from formulajoint.aggregates.make import design_of, moments_of
from formulajoint.api.arguments import check_arguments
from formulajoint.api.model import JointModel
from formulajoint.compiler.planning.plan import make_plan
from formulajoint.errors import DataError
from formulajoint.language.formula import Formula
from formulajoint.language.vocabulary.default import chosen
from formulajoint.language.vocabulary.language import Language
from formulajoint.spec.read import parse

if TYPE_CHECKING:
    from formulajoint.aggregates.moments import Moments
    from formulajoint.api.fit import Fit

type Priors = Literal["flat"] | None


def model(
    formula: str | Formula,
    data: object,
    priors: Priors = None,
    family: str | None = None,
    language: Language | None = None,
) -> JointModel:
    """Return the model of `formula` for `data`, without fitting it.

    Parameters
    ----------
    formula : str or Formula
        For example ``"score ~ treatment | school, joint(weights=n)"``.
    data : DataFrame
        pandas, polars or pyarrow; one row per observation. A lazy frame of Polars, a relation of DuckDB and the like
        stay where they are: their moments are aggregated there. So do Parquet and CSV files of 100 MB or more, given by
        their path or a pattern such as ``"data/*.parquet"``; smaller ones are read, and so are
        spreadsheets. Or moments of such rows, as from `moments`.
    priors : {None, "flat"}
        None for weakly informative priors scaled by the data; ``"flat"`` for improper ones, which give the
        classical results. Single priors are written in the formula: ``prior(treatment ~ normal(0, 5))``.
    family : str, optional
        Family, if the formula has no ``family(...)``: one of `list_families`, Gaussian by default.
    language : Language, optional
        Default: the plain language with all installed and registered extensions.

    Raises
    ------
    FormulaError
        If the formula is wrong or does not fit the data's names; the error shows the place.
    DataError
        If the data's values do not allow what the formula states.

    Examples
    --------
    >>> import formulajoint as fj
    >>> m = fj.model("test_score ~ treatment | school, joint(weights=n)", fj.tutoring())
    >>> m.priors["treatment"]
    'normal(0, 39.44)'
    """
    return JointModel(_plan(formula, data, priors, family, language), data)


def fit(
    formula: str | Formula,
    data: object,
    priors: Priors = None,
    family: str | None = None,
    language: Language | None = None,
    *,
    draws: int = 1000,
    tune: int = 1000,
    chains: int = 4,
    engine: str = "auto",
    seed: int | None = None,
    target_accept: float = 0.9,
    progress: bool = True,
    likelihood: str = "auto",
    device: str | None = None,
    keep: str = "all",
    **sampler: Any,
) -> Fit:
    """Return the fit of `formula` to `data`: `model` and `JointModel.fit` in one call.

    Parameters
    ----------
    formula, data, priors, family, language
        As for `model`.
    draws, tune, chains, engine, seed, target_accept, progress, likelihood, device, keep
        As for `JointModel.fit`.
    **sampler
        Further arguments of NUTS, as for `JointModel.fit`.

    Examples
    --------
    >>> import formulajoint as fj
    >>> fit = fj.fit("test_score ~ treatment | school, joint(weights=n)", fj.tutoring(), seed=1)
    >>> round(float(fit.contrasts().loc["joint_treatment", "mean"]))
    13
    """
    check_arguments(sampler, engine)
    return model(formula, data, priors, family, language).fit(
        draws, tune, chains, engine, seed, target_accept, progress, likelihood, device, keep, **sampler
    )


def moments(
    formula: str | Formula,
    data: object,
    family: str | None = None,
    language: Language | None = None,
    *,
    like: Moments | None = None,
) -> Moments:
    """Return what `formula` needs of the rows of `data`, as sums by cell: `fit` takes them in place of the rows.

    Cells are the combinations of groups, of the levels of factors, and of whatever has two values. With a Gaussian
    response each has its number of rows, and means, squares and products of the numbers; fitted, they give the
    posterior of the rows to rounding, with the same draws for one seed. For other families a cell is all rows with the
    same values, and their number.
    Moments of the same formula can be added: those of two years, or of two hospitals whose rows may not leave them.

    Parameters
    ----------
    formula, data, family, language
        As for `model`.
    like : Moments, optional
        Take from these what columns learn of all rows, such as the mean in ``center(x)`` or the knots of ``bs(x)``:
        only moments that learnt the same can be added. In the sum ``center(x)`` still takes away the mean in the rows
        of `like`, so that the intercept and default priors are not those of a fit of all rows at once.

    Examples
    --------
    >>> import formulajoint as fj
    >>> data = fj.tutoring()
    >>> formula = "test_score ~ treatment | school, joint(weights=n)"
    >>> both = fj.moments(formula, data[:5]) + fj.moments(formula, data[5:])
    >>> fit = fj.fit(formula, both, seed=1)
    >>> round(float(fit.contrasts().loc["joint_treatment", "mean"]))
    13
    """
    from formulajoint.aggregates.moments import Moments

    if like is not None and not isinstance(like, Moments):
        raise DataError(f"`like` must be moments, as from `fj.moments`, not {type(like).__name__}.")
    parsed, spoken = _parsed(formula, language)
    return moments_of(parsed, data, spoken, family, like)


def load(path: str | PathLike[str], language: Language | None = None) -> Fit:
    """Return the fit that `Fit.save` wrote; its tables, tests and plots are as before, and need no data.

    Parameters
    ----------
    path : path
        Ends in ``.nc``.
    language : Language, optional
        Default: the plain language with all installed and registered extensions.

    Raises
    ------
    StoreError
        If the file is missing, damaged, not written by `Fit.save`, or of a later version.

    Examples
    --------
    >>> import formulajoint as fj
    >>> fit = fj.fit("test_score ~ treatment | school, joint()", fj.tutoring(), seed=1)  # doctest: +SKIP
    >>> fit.save("fit.nc")  # doctest: +SKIP
    >>> fj.load("fit.nc").contrasts().equals(fit.contrasts())  # doctest: +SKIP
    True
    """
    from formulajoint.api.fit import Fit
    from formulajoint.results.saved import store  # xarray: half a second

    posterior = store.load(path, language)
    return Fit(JointModel(posterior.plan), posterior)


def build(
    formula: str | Formula,
    data: object,
    priors: Priors = None,
    family: str | None = None,
    prefix: str = "",
    language: Language | None = None,
    likelihood: str = "rows",
) -> dict[str, Any]:
    """Add the model of `formula` to the open ``pm.Model`` and return its variables by name.

    Parameters
    ----------
    formula, data, priors, family
        As for `model`.
    prefix : str
        Prefix of every variable and dim, so that one model can hold several formulas: with ``"maths"`` the treatment
        effects are ``maths_treatment`` over ``maths_school``.
    language : Language, optional
        As for `model`.
    likelihood : {"rows", "sums", "auto"}
        As for `JointModel.fit`. With ``"sums"`` the response is a ``pm.Potential``, from which nothing can be drawn.

    Raises
    ------
    DataError
        If no model is open, or it already has a variable or dim of the same name.
    InferenceError
        If the likelihood is unknown or does not go through sums.

    Examples
    --------
    >>> import pymc as pm
    >>> import formulajoint as fj
    >>> with pm.Model() as m:
    ...     variables = fj.build("test_score ~ treatment | school", fj.tutoring(), prefix="maths")
    >>> m.named_vars_to_dims["maths_treatment"]
    ('maths_school',)
    """
    import pymc as pm  # seconds

    from formulajoint.compiler.pymc.build import add_to_model

    plan = _plan(formula, data, priors, family, language, prefix)
    if pm.Model.get_context(error_if_none=False) is None:
        raise DataError("There is no open model. Write `with pm.Model():` around `build(...)`.")
    return add_to_model(plan, likelihood)


def _plan(
    formula: str | Formula,
    data: object,
    priors: Priors,
    family: str | None,
    language: Language | None,
    prefix: str = "",
) -> Any:
    if not (priors is None or (isinstance(priors, str) and priors == "flat")):
        raise DataError(
            "`priors` must be None or 'flat'. Single priors belong in the formula: `prior(treatment ~ normal(0, 5))`."
        )
    parsed, spoken = _parsed(formula, language)
    return make_plan(design_of(parsed, data, spoken, family), priors, family, prefix)


def _parsed(formula: str | Formula, language: Language | None) -> tuple[Formula, Language]:
    if not isinstance(formula, str | Formula):
        raise DataError(
            f"The formula comes first, as text, but {type(formula).__name__} was given; the data come second."
        )
    spoken = chosen(language)
    return (parse(formula, spoken) if isinstance(formula, str) else formula), spoken
