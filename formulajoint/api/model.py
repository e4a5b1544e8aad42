"""A formula bound to data, ready to be explained, inspected and fitted."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from formulajoint.api.arguments import check_arguments
from formulajoint.compiler.plan import Plan
from formulajoint.compiler.planning.plan import make_plan
from formulajoint.design.schema import Design
from formulajoint.errors import InferenceError
from formulajoint.inference.settings import Settings
from formulajoint.language.formula import Formula
from formulajoint.results.draws.posterior import Posterior

if TYPE_CHECKING:
    import pymc as pm
    from rich.text import Text as RichText
    from xarray import DataTree

    from formulajoint.api.fit import Fit
    from formulajoint.results.saved.design_codec import Plain


@dataclass(frozen=True, eq=False)
class JointModel:
    """A model, as ``fj.model`` returns it. Printed, it shows the text of `explain`.

    Attributes
    ----------
    plan : Plan
        Every variable with its name, dims and prior.
    data : object
        The data as given; None in a fit that was loaded.
    """

    plan: Plan
    data: object = field(default=None, repr=False)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the rows that the formula uses, without the data frame."""
        from formulajoint.results.saved.design_codec import to_plain

        plan = self.plan
        return restored_model, (to_plain(plan.design), "flat" if plan.flat else None, plan.family.name)

    def __copy__(self, *_: object) -> JointModel:
        return self  # a value: it never changes

    __deepcopy__ = __copy__

    @property
    def formula(self) -> Formula:
        """The parsed formula."""
        return self.plan.design.formula

    @property
    def design(self) -> Design:
        """The formula's columns, groups and levels in these data."""
        return self.plan.design

    @property
    def priors(self) -> dict[str, str]:
        """The prior of each variable, as text."""
        return {name: prior.of(name) for name, prior in self.plan.priors} | {
            s.name: s.prior for s in self.plan.shares
        }

    @cached_property
    def pymc(self) -> pm.Model:
        """The ``pm.Model``, built on first use; its response is observed row by row."""
        from formulajoint.compiler.pymc.build import build_model  # loads PyMC: seconds

        return build_model(self.plan)

    def explain(self, format: Literal["text", "html", "latex"] = "text") -> str:
        """Return the model as text: data, equation, every coefficient with its prior, contrasts and notes.

        Parameters
        ----------
        format : {"text", "html", "latex"}
            ``latex`` is the equations alone, an ``aligned`` block for math mode.

        Examples
        --------
        >>> import formulajoint as fj
        >>> print(fj.model("test_score ~ treatment | school", fj.tutoring()).explain().splitlines()[2])
        data: 10 rows; 2 groups of school (A 4, B 6)
        """
        match format:
            case "text":
                from formulajoint.results.text.describe import explain

                return explain(self.plan)
            case "html":
                from formulajoint.results.text.html import explain_html  # loads pandas

                return explain_html(self.plan)
            case "latex":
                from formulajoint.results.text.latex import explain_latex

                return explain_latex(self.plan)
        raise InferenceError(f"`format` is 'text', 'html' or 'latex', not {format!r}.")

    def graph(self) -> str:
        """Return the model's graph, every variable with its dims: a notebook draws it, as text it is Graphviz source.

        Examples
        --------
        >>> import formulajoint as fj
        >>> source = fj.model("test_score ~ treatment | school", fj.tutoring()).graph()  # doctest: +SKIP
        """
        from formulajoint.compiler.pymc.graph import graph_nodes  # loads PyMC: seconds
        from formulajoint.results.text.graph import Graph

        return Graph(graph_nodes(self.pymc, self.plan))

    def record(self) -> dict[str, Any]:
        """Return the content of `explain` as plain data, ready for JSON."""
        from formulajoint.results.text.describe import model_record

        return model_record(self.plan)

    def prior_predictive(self, draws: int = 500, seed: int | None = None) -> DataTree:
        """Return draws of every variable and of new responses from the prior.

        Parameters
        ----------
        draws : int
        seed : int, optional

        Returns
        -------
        DataTree
            With groups prior, prior_predictive and observed_data.

        Raises
        ------
        InferenceError
            If a prior is flat, so that it cannot be drawn from.
        """
        from formulajoint.inference.draws.prior import sample_prior  # loads PyMC: seconds

        return sample_prior(self.plan, draws, seed, lambda: self.pymc)

    def fit(
        self,
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
        """Return the fit of the model: draws from its posterior.

        Parameters
        ----------
        draws : int
            Draws kept per chain.
        tune : int
            Steps of adaptation per chain, for NUTS only.
        chains : int
        engine : {"auto", "exact", "nutpie", "pymc", "numpyro", "blackjax"}
            ``exact`` is for Gaussian models with normal priors and hierarchies: coefficients come from their
            closed form, sigmas and the like from importance sampling. The others are samplers by
            NUTS, for any model. ``auto`` is ``exact`` where it applies and can be trusted, else ``nutpie``; the printed
            fit says which, and why.
        seed : int, optional
            The same seed gives the same draws to the bit, with the same engine, device, versions and machine.
        target_accept : float
            Acceptance rate that NUTS adapts its step to, between 0 and 1.
        progress : bool
            Whether to show a progress bar of NUTS, and how long the exact engine will take where that is long.
        likelihood : {"auto", "rows", "sums"}
            How NUTS evaluates the same posterior at each step: by the density of every row; or by the groups' sums of
            squares and products, which suffice for a Gaussian response without predictors of sigma, in a time that
            does not grow with the rows; of whole numbers by the different rows, each with its count. ``auto`` is sums
            where they apply and have at most a quarter as many rows.
        device : str, optional
            Device of the exact engine; NumPy by default. ``"cuda"`` is the first GPU, by the first of CuPy, Torch and
            JAX that is installed and finds it, and ``"cuda:1"`` the second. ``"torch"`` or ``"jax"`` is the first GPU
            of that library or, if it finds none, the CPU; ``"torch:cpu"``, ``"jax:cuda:1"`` and the like name both.
            All compute in float64, and the same seed gives the same draws to rounding. Beside Gaussian models, it
            takes ``bernoulli``, ``binomial``, ``poisson``, ``negative_binomial``, ``gamma`` and ``exponential`` ones
            with their usual links.
        keep : {"all", "contrasts"}
            ``"contrasts"`` keeps the draws of shared parameters (coefficients of all rows, means, sds, correlations,
            sigma) and of the formula's contrasts, and not those of each group: for very many groups, whose
            coefficients would not fit into memory. The exact engine then draws groups' coefficients only where a
            contrast needs them, some draws at a time. Whatever needs them later, such as ``fit.coefficients()``, says
            so.
        **sampler
            Further arguments of NUTS, passed on: those of its step, such as ``max_treedepth=12``, and those of
            ``pm.sample``, such as ``init``, ``initvals`` or ``nuts={...}``.

        Returns
        -------
        Fit

        Raises
        ------
        InferenceError
            If an argument, the engine, the device or the likelihood is unknown or does not apply, or the engine or the
            device's library is not installed or fails.
        """
        from formulajoint.api.fit import Fit  # loads pandas and SciPy
        from formulajoint.inference.engine import run

        check_arguments(sampler, engine)
        if likelihood != "auto":
            from formulajoint.compiler.pymc.likelihood_by_sums import check_likelihood

            check_likelihood(self.plan, likelihood)
        settings = Settings(draws, tune, chains, seed, target_accept, progress, device, sampler, keep)
        drawn = run(self.plan, lambda: self._for_nuts(likelihood), engine, settings)
        return Fit(self, Posterior(self.plan, drawn.draws, drawn.engine, drawn.why))

    def fit_from(self, draws: object) -> Fit:
        """Return the fit that draws of ``model.pymc`` make: with all contrasts, tests, plots and the report.

        Parameters
        ----------
        draws : DataTree
            What ``pm.sample(model=model.pymc)`` returns, by any sampler; also a Dataset, ArviZ's older InferenceData,
            or a mapping of names to arrays (chain, draw, ...), as NumPyro gives them by chain.

        Raises
        ------
        InferenceError
            If these are no draws, or draws of another model: a variable, a label or the response differs.

        Examples
        --------
        >>> import formulajoint as fj
        >>> import pymc as pm
        >>> model = fj.model("test_score ~ treatment | school, joint()", fj.tutoring())
        >>> idata = pm.sample(model=model.pymc, random_seed=1)  # doctest: +SKIP
        >>> model.fit_from(idata).contrasts()  # doctest: +SKIP
        """
        from formulajoint.api.fit import Fit  # loads pandas and SciPy
        from formulajoint.results.external.adopted import adopted  # loads xarray

        known = self.pymc.named_vars if "pymc" in self.__dict__ else ()
        return Fit(self, adopted(self.plan, draws, known))

    def _for_nuts(self, likelihood: str) -> pm.Model:
        """Return the ``pm.Model`` that NUTS evaluates."""
        from formulajoint.compiler.pymc.build import build_model  # loads PyMC: seconds
        from formulajoint.compiler.pymc.likelihood_by_sums import by_sums

        return build_model(self.plan, "sums") if by_sums(self.plan, likelihood) else self.pymc

    def _repr_html_(self) -> str:
        return self.explain("html")

    def __str__(self) -> str:
        return self.explain()

    def __repr__(self) -> str:
        return self.explain()

    def __rich__(self) -> RichText:
        from formulajoint.results.text.terminal import styled  # loads Rich

        return styled(self.explain())


def restored_model(design: Plain, priors: str | None, family: str) -> JointModel:
    """Return the model of a pickle, in the plain language with all installed and registered extensions."""
    from formulajoint.results.saved.design_codec import from_plain

    return JointModel(make_plan(from_plain(design), priors, family))


def restored_fit(body: bytes) -> Fit:
    """Return the fit of a pickle, in the plain language with all installed and registered extensions."""
    from formulajoint.api.fit import Fit  # loads pandas and SciPy
    from formulajoint.results.saved import store  # loads xarray

    posterior = store.from_bytes(body)
    return Fit(JointModel(posterior.plan), posterior)
