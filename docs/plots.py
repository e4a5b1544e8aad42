"""Draws the pictures of docs/plots.md anew: ``python docs/plots.py``.

Two fits: the question's two schools, and the eighteen subjects of the sleep study.
"""

from pathlib import Path

import pandas as pd

import formulajoint as fj

HERE = Path(__file__).parent
PICTURES = HERE / "plots"


def main() -> None:
    """Fit both and save every picture."""
    schools = fj.fit("test_score ~ treatment | school, joint(weights=n)", fj.tutoring(), seed=1)
    sleep = pd.read_csv(HERE.parent / "tests" / "data" / "sleepstudy.csv")
    subjects = fj.fit("Reaction ~ Days | Subject, hierarchy(), joint()", sleep, seed=1)
    figures = {
        "forest": schools.plot.forest(),
        "contrast": schools.plot.contrast(rope=2.0),
        "joint": schools.plot.joint(),
        "sensitivity": schools.plot.sensitivity(),
        "forest_many": subjects.plot.forest(),
        "joint_many": subjects.plot.joint("Days == Days[308]"),
        "shrinkage": subjects.plot.shrinkage(),
        "ppc": subjects.plot.ppc(),
        "prior_posterior": subjects.plot.prior_posterior(["joint_Days", "Days_mean", "Days_sd"]),
    }
    PICTURES.mkdir(exist_ok=True)
    for name, figure in figures.items():
        figure.savefig(PICTURES / f"{name}.png", dpi=110)


if __name__ == "__main__":
    main()
