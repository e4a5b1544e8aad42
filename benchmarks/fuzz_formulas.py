"""Random formulas, clauses and hypotheses over given names, and slips in them.

`Writer` follows docs/language.md: what it writes is in the language, though no model need be of it. `slip` then
changes a text as hands do: a token lost, doubled or swapped, a bracket left open, another name, an odd number.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

BARE = re.compile(r"[^\W\d][\w.]*\Z")
"""A name that needs no backticks; names beginning with ``_`` are among them."""

TOKEN = re.compile(
    r"`(?:[^`]|``)*`|\"(?:[^\"\\]|\\.)*\"|'[^']*'|\w[\w.]*|\s+|==|!=|<=|>=|\*\*|\|\||.", re.DOTALL
)

ODD = (
    *("1e308", "1e-320", "0", "-0", "00", "007", "1e400", "9" * 39, "9" * 41, "1_000", "0x1f", "1,5", "nan", "inf", "2x"),
    *("½", "²", "٣", ".5", "5.", "1e", "1e5", "true", "none", "NA", "%", "\x00", "\u202e", "\u00a0", "−", "“", "é", "e\u0301"),
    *("~", "|", "||", "(", ")", "[", "]", "{", "}", ",", ";", "=", "==", "!", "!=", "<", "<=", ":", "::", "^", "**", "$", "@", "#"),
    *("'", '"', "`", "\\", "\n", "\t", ".", "..", ".mean", ".sd", "[A]", "[[A]]", "joint(", "hierarchy()", "sigma ~ 1", "-", "- -"),
)  # fmt: skip
"""Tokens that replace another one."""


@dataclass(frozen=True)
class Names:
    """Columns that a formula may name, by what they are good for; factors with labels of their levels."""

    response: str
    numbers: tuple[str, ...]
    factors: dict[str, tuple[str, ...]]
    group: str
    weights: str = ""
    errors: str = ""

    @property
    def all(self) -> tuple[str, ...]:
        """All columns named, the response first."""
        return (self.response, *self.numbers, *self.factors)


def name(text: str) -> str:
    """Return a column's name as a formula writes it."""
    return text if BARE.match(text) else "`" + text.replace("`", "``") + "`"


def quoted(text: str) -> str:
    """Return a text in double quotes, as a level that is no plain name."""
    said = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + said.replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r") + '"'


@dataclass(frozen=True)
class Writer:
    """Writes random text of the language.

    Parameters
    ----------
    random : Random
    names : Names
    fitted : bool
        Whether to write only what a Gaussian or Student model can be fitted of.
    """

    random: Random
    names: Names
    fitted: bool = False

    # --- words

    def one(self, *items: str) -> str:
        """Return one of the items."""
        return self.random.choice(items)

    def chance(self, share: float) -> bool:
        """Return True in this share of calls."""
        return self.random.random() < share

    def some(self, make: Callable[[], str], most: int, separator: str = ", ", least: int = 1) -> str:
        """Return up to `most` texts, joined."""
        return separator.join(make() for _ in range(self.random.randint(least, most)))

    def number(self) -> str:
        """Return a number of everyday size."""
        return self.one("0", "1", "2", "0.5", "3.25", "10", "1e-3", "2e2", "1 / 3", "2^2", ".5", "7.")

    def signed(self) -> str:
        """Return a number with or without a sign."""
        return self.one("", "", "-", "+") + self.number()

    def above_zero(self) -> str:
        """Return a number above zero."""
        return self.one("1", "2", "0.5", "3.25", "10", "1e-3", "2e2", "1 / 3")

    def numeric(self) -> str:
        """Return the name of a column of numbers."""
        return name(self.one(*self.names.numbers))

    def factor(self) -> str:
        """Return a categorical column that makes no groups, most often; a column of numbers where there is none."""
        others = [each for each in self.names.factors if each != self.names.group or self.chance(0.1)]
        return name(self.one(*others)) if others else self.numeric()

    def level(self, of: str = "") -> str:
        """Return a level of a factor, of the group's if none is named."""
        labels = self.names.factors.get(of or self.names.group, ())
        text = self.one(*labels) if labels else "A"
        return text if re.fullmatch(r"[^\W\d]\w*", text) and self.chance(0.7) else quoted(text)

    # --- predictors

    def variable(self) -> str:
        """Return a column, or a function of one."""
        if self.chance(0.55):
            return self.numeric() if self.chance(0.65) else self.factor()
        return self.function()

    def function(self) -> str:
        """Return a function of a column."""
        x, arm = self.numeric(), self.factor()
        return self.one(
            *(f"{f}({x})" for f in ("center", "standardize", "scale", "abs", "exp", "log1p", "sin")),
            f"pmax({x}, {self.number()})",
            f"ave({x}, {name(self.names.group)})",
            f"log({self.one('abs', 'exp')}({x}) + 1)",
            f"center({x}, by={name(self.names.group)})",
            f"standardize({x}, by={name(self.names.group)})",
            f"I({self.arithmetic()})",
            f"{{{x} / {self.above_zero()}}}",
            f"I({x} {self.one('>', '<', '>=', '<=', '==', '!=')} {self.number()})",
            f"I({arm} == {self.level()})" if self.names.factors else f"I({x}^2)",
            self.curve(),
            self.curve(),
            f"{self.one('C', 'factor', 'as.factor')}({arm})",
            f"C({arm}, coding={self.one('treatment', 'sum', 'helmert', 'poly')})",
        )

    def curve(self) -> str:
        """Return a curve of a column."""
        x, df = self.numeric(), self.one("1", "2", "3", "4", "5")
        return self.one(
            f"poly({x}, {df})",
            f"poly({x}, {df}, raw={self.one('true', 'FALSE')})",
            f"bs({x}, df={df})",
            f"bs({x}, df={df}, degree={self.one('1', '2', '3')})",
            f"ns({x}, df={df})",
        )

    def arithmetic(self, depth: int = 2) -> str:
        """Return arithmetic of columns of numbers."""
        if depth == 0 or self.chance(0.4):
            return self.numeric() if self.chance(0.7) else self.number()
        a, b = self.arithmetic(depth - 1), self.arithmetic(depth - 1)
        return self.one(f"{a} + {b}", f"({a} - {b})", f"({a}) * ({b})", f"({a})^2", f"-({a})", f"({a}) / 2")

    def term(self, depth: int = 2) -> str:
        """Return a term of Wilkinson algebra."""
        if depth == 0 or self.chance(0.6):
            return self.variable()
        a, b = self.term(depth - 1), self.term(depth - 1)
        return self.one(
            f"({a}):({b})",
            f"({a}) %in% ({b})",
            f"({a}) * ({b})",
            f"({a} + {b})^2",
            f"({a}) / ({b})",
            f"({a} + {b})",
        )

    def predictors(self, grouped: bool = False) -> str:
        """Return what stands right of ``~``, without the bar."""
        parts = [self.term() for _ in range(self.random.choice([1, 1, 1, 2, 2, 3]))]
        said = " + ".join(parts) + f" - {self.random.choice(parts)}" * self.chance(0.06)
        if grouped and self.chance(0.25):
            said += f" + common({self.term(1)})"
        if self.chance(0.06):
            said += f" + offset({self.numeric()})"
        if not self.fitted and self.chance(0.08):
            bars = (
                f"(1 | {self.group()})",
                f"({self.numeric()} || {self.group()})",
                f"(0 + {self.numeric()} | {self.group()})",
            )
            said += f" + {self.one(*bars)}"
        if self.chance(0.05):
            return self.one("1", "." if not self.fitted else "1")
        return self.one("", "", "", "", "", "0 + ", "1 + ") + said + self.one("", "", "", "", "", "", " - 1")

    def group(self) -> str:
        """Return the group right of the bar."""
        first = name(self.names.group)
        others = [name(each) for each in self.names.factors if each != self.names.group]
        if others and self.chance(0.12):
            return first + self.one("/", ":") + self.random.choice(others)
        return first

    # --- clauses

    def coefficient(self) -> str:
        """Return a term's name, with or without a level."""
        term = self.one(self.numeric(), self.numeric(), self.numeric(), self.factor(), "Intercept")
        if self.chance(0.1):
            term = f"{self.numeric()}:{self.factor()}"
        if self.chance(0.1):
            term = self.curve()
        return term + self.brackets() if self.chance(0.7) else term

    def brackets(self) -> str:
        """Return levels in brackets."""
        if self.chance(0.75):
            return f"[{self.level()}]"
        other = self.one(*self.names.factors) if self.names.factors else self.names.group
        if other == self.names.group:
            return f"[{name(other)}={self.level()}]"
        return self.one(
            f"[{self.level()}, {self.level(other)}]",
            f"[{name(self.names.group)}={self.level()}, {name(other)}={self.level(other)}]",
            f"[{name(other)}={self.level(other)}]",
        )

    def effect(self, depth: int = 2) -> str:
        """Return arithmetic of coefficients."""
        if depth == 0 or self.chance(0.5):
            odd = (
                f"{self.numeric()}.mean",
                f"{self.numeric()}.sd",
                "sigma",
                f"sigma[{self.level()}]",
                self.number(),
            )
            return self.coefficient() if self.chance(0.85) else self.one(*odd)
        a, b = self.effect(depth - 1), self.effect(depth - 1)
        return self.one(
            f"{a} - ({b})", f"{a} + {b}", f"({a}) / ({b})", f"{self.number()} * ({a})", f"-({a})", f"({a})^2"
        )

    def linear(self) -> str:
        """Return a linear combination of coefficients."""
        a, b = self.coefficient(), self.coefficient()
        return self.one(
            a,
            a,
            a,
            f"{self.number()} * {a}",
            f"{a} - {b}",
            f"({a} + {b}) / 2",
            f"-{a}",
            f"{a} + {self.number()}",
        )

    def hypothesis(self) -> str:
        """Return a hypothesis: equalities or an order."""
        kind = self.one("zero", "zero", "equal", "chain", "order", "and")
        a, b, c = self.linear(), self.linear(), self.linear()
        if kind == "zero":
            return f"{a} == {self.one('0', '0', '0', self.signed())}"
        if kind == "equal":
            return f"{a} == {b}"
        if kind == "chain":
            return f"{a} == {b} == {c}"
        if kind == "order":
            sign = self.one(">", "<", ">=", "<=")
            return f"{a} {sign} {b}" + self.one("", f" {sign} {self.one('0', c)}")
        return f"{a} == 0, {b} == {self.signed()}"

    def weighting(self) -> str:
        """Return a value of ``weights=``."""
        labels = list(self.names.factors.get(self.names.group, ()))[:12]
        counts = self.one("n", "equal", f"sum({self.numeric()})")
        given = "{" + ", ".join(f"{quoted(x)}: {self.above_zero()}" for x in labels) + "}" if labels else "n"
        return self.one(
            "n", "equal", "precision", counts, f"dirichlet({counts})", self.numeric(), given,
            "[" + ", ".join(self.above_zero() for _ in labels or "a") + "]",
        )  # fmt: skip

    def contrast(self) -> str:
        """Return a contrast clause."""
        kind = self.random.randrange(4)
        if kind == 0:
            return f"contrast({self.effect()})"
        if kind == 1:
            options = [f"weights={self.weighting()}"] * self.chance(0.5)
            options += [f"scale={self.one('none', 'sigma', 'sd', self.above_zero())}"] * self.chance(0.3)
            options += ["at=mean"] * self.chance(0.15)
            return self.call(self.one("joint", "joint", "rms", "spread"), options)
        if kind == 2:
            over = [f"over={self.one(name(self.names.group), self.factor())}"] * self.chance(0.15)
            family = self.one(
                "pairwise", "sequential", "meandev", "meanotherdev", "helmert", "poly", "reference"
            )
            extra = {"reference": [f"ref={self.level()}"] * self.chance(0.5), "poly": ["degree=2"] * self.chance(0.3),
                     "meandev": [f"weights={self.one('n', 'equal')}"] * self.chance(0.3)}.get(family, [])  # fmt: skip
            return self.call(family, over + extra)
        terms = [self.some(self.term_named, 2)] if self.chance(0.6) else []
        return f"joint({', '.join(terms)})"

    def call(self, clause: str, options: Sequence[str]) -> str:
        """Return a call of a contrast clause, with or without terms."""
        terms = [self.term_named()] if self.chance(0.8) else []
        return f"{clause}({', '.join([*terms, *options])})"

    def term_named(self) -> str:
        """Return a term as a clause names it."""
        return self.one(
            self.numeric(), self.numeric(), self.factor(), f"{self.numeric()}:{self.factor()}", "Intercept"
        )

    def law(self, positive: bool = False) -> str:
        """Return a prior distribution."""
        s = self.above_zero()
        halves = (f"half_normal({s})", f"half_cauchy({s})", f"half_student_t(4, {s})", f"exponential({s})",
                  f"gamma(2, {s})", f"inverse_gamma(2, {s})", f"log_normal({self.signed()}, {s})", f"half_normal({s}, scale=sd)",
                  f"constant({s})")  # fmt: skip
        wholes = (f"normal({self.signed()}, {s})", f"normal(mu={self.signed()}, sigma={s})", f"cauchy(0, {s})", "flat()",
                  f"student_t(4, {self.signed()}, {s})", f"laplace(0, {s})", f"normal(0, {s}, scale=sd)", "uniform(-100, 100)")  # fmt: skip
        if self.fitted:
            wholes = wholes[:4]
        return self.one(*(halves if positive else wholes))

    def prior(self) -> str:
        """Return one prior, as it stands in ``prior(...)``."""
        x = self.term_named()
        target = self.one(x, x, f"{self.numeric()}.mean", f"{self.numeric()}[{self.level()}]")
        return self.one(f"{target} ~ {self.law()}", f"{target} ~ {self.law()}", f"sigma ~ {self.law(True)}",
                        f"{self.numeric()}.sd ~ {self.law(True)}", f"cor ~ lkj({self.above_zero()})")  # fmt: skip

    def priors(self) -> str:
        """Return one or two priors of different targets."""
        found = {text.split(" ~ ")[0]: text for text in (self.prior(), self.prior())}
        return ", ".join(list(found.values())[: self.random.choice([1, 2])])

    def pooling(self) -> str:
        """Return a ``hierarchy(...)`` clause."""
        terms = [self.some(self.term_named, 2)] if self.chance(0.4) else []
        options = [f"cor={self.one('true', 'false')}"] * self.chance(0.2)
        options += [f"centered={self.one('auto', 'true', 'false')}"] * self.chance(0.15)
        options += [f"dist={self.one('normal', 'student', 'cauchy')}"] * self.chance(0.15)
        options += ["scale=sigma"] * self.chance(0.15)
        return f"hierarchy({', '.join([*terms, *options])})"

    def model_clause(self, grouped: bool) -> str:
        """Return a clause that shapes the model."""
        names = self.names
        choices = [f"prior({self.priors()})", f"missing({self.one('drop', 'drop', 'error')})"]
        if grouped:
            choices += [
                self.pooling(),
                self.pooling(),
                f"sigma ~ 1 | {self.group()}",
                "hierarchy(sigma), sigma ~ 1 | " + self.group(),
            ]
        if names.weights:
            choices.append(f"weights({name(names.weights)})")
        if names.errors:
            choices.append(f"se({name(names.errors)})")
        if not self.fitted:
            families = ("gaussian", "student", "bernoulli, link=probit", "poisson", "gamma, link=log", "beta")
            choices += [f"family({self.one(*families)})", f"sigma ~ {self.predictors()}", "nu ~ 1"]
        return self.random.choice(choices)

    def plain(self) -> str:
        """Return an everyday formula: columns as they are, and contrasts and tests of them."""
        columns = [*self.names.numbers, *(each for each in self.names.factors if each != self.names.group)]
        terms = [name(each) for each in columns]
        shared = len(terms) > 1 and self.chance(0.2)
        said = (
            self.one(" + ", " + ", " * ").join(terms[: len(terms) - shared])
            + f" + common({terms[-1]})" * shared
        )
        clauses = [] if self.chance(0.4) else [self.model_clause(True)]
        clauses += [self.contrast() for _ in range(self.random.choice([0, 1, 2]))]
        clauses += [f"test({self.hypothesis()})"] * self.chance(0.2)
        bar = f" | {name(self.names.group)}" if self.chance(0.9) else ""
        return ", ".join([f"{name(self.names.response)} ~ {said}{bar}", *once(clauses)])

    def formula(self) -> str:
        """Return a whole formula."""
        response = name(self.names.response)
        if self.chance(0.1):
            response = self.one(
                f"center({response})",
                f"I({response} / 2)",
                f"standardize({response}, by={name(self.names.group)})",
            )
        grouped = self.chance(0.7)
        clauses: list[str] = []
        if self.chance(0.55):
            clauses.append(self.model_clause(grouped))
            clauses += [self.model_clause(grouped)] * self.chance(0.2)
        clauses += [self.contrast() for _ in range(self.random.choice([0, 0, 1, 1, 2]))]
        if self.chance(0.25):
            clauses.append(f"test({self.hypothesis()})")
        said = f"{response} ~ {self.predictors(grouped)}" + (f" | {self.group()}" if grouped else "")
        return ", ".join([said, *once(clauses)])


def once(clauses: list[str]) -> list[str]:
    """Return the clauses without a second one of those that stand once."""
    kept: dict[str, str] = {}
    for clause in clauses:
        single = re.match(r"(se|weights|missing|family|prior)\(|(hierarchy\(sigma\), )?sigma ~|nu ~", clause)
        kept.setdefault(single[0].removeprefix("hierarchy(sigma), ") if single else clause, clause)
    return list(kept.values())


def slip(random: Random, text: str, names: Sequence[str] = ()) -> str:
    """Return `text` with one to three slips."""
    tokens = TOKEN.findall(text)
    for _ in range(random.choice([1, 1, 1, 2, 3])):
        i = random.randrange(len(tokens)) if tokens else 0
        match random.randrange(8):
            case 0:
                del tokens[i : i + 1]
            case 1:
                tokens[i:i] = tokens[i : i + 1]
            case 2:
                j = random.randrange(len(tokens)) if tokens else 0
                if tokens:
                    tokens[i], tokens[j] = tokens[j], tokens[i]
            case 3:
                tokens[i : i + 1] = [random.choice(ODD)]
            case 4:
                tokens.insert(i, random.choice(ODD))
            case 5:
                tokens[i : i + 1] = [name(random.choice(names))] if names else []
            case 6:
                tokens = tokens[:i]  # the rest was not typed
            case 7:
                tokens[i : i + 1] = [_misspelt(random, token) for token in tokens[i : i + 1]]
    return "".join(tokens)


def _misspelt(random: Random, token: str) -> str:
    """Return a token with a character lost, doubled, in another case, or two swapped."""
    i = random.randrange(max(1, len(token)))
    return random.choice([
        token[:i] + token[i + 1 :], token[: i + 1] + token[i:], token.swapcase(), token[:i] + token[i : i + 2][::-1] + token[i + 2 :]
    ])  # fmt: skip
