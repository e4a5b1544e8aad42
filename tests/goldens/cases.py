"""All golden cases of models and fits: what each is, is said in `case.py`."""

from __future__ import annotations

from goldens.case import Case
from goldens.formulas_contrasts import CONTRASTS
from goldens.formulas_groups import GROUPS
from goldens.formulas_plain import PLAIN
from goldens.formulas_pooled import INVENTED, POOLED
from goldens.formulas_tests import TESTS

CASES: tuple[Case, ...] = (*PLAIN, *GROUPS, *CONTRASTS, *POOLED, *INVENTED, *TESTS)

assert len({case.name for case in CASES}) == len(CASES), "two cases have one name"
