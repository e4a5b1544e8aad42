"""The Gaussian family, which is the default: a model of it loads no other."""

from __future__ import annotations

from formulajoint.distributions.declared import NORMAL
from formulajoint.distributions.links import LOG
from formulajoint.distributions.prior import FLAT, prior
from formulajoint.families.likelihood import Likelihood, Parameter
from formulajoint.families.parameters import MU, scale

SD = Parameter("sigma", LOG, (), "residual sd", scale, prior("inverse", origin=FLAT))

GAUSSIAN = Likelihood("gaussian", NORMAL, (MU, SD), spread="sigma", sums=True, improper=True)
