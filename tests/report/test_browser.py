"""The page in a browser: headless Chromium, driven over a pipe, tells what it logs, asks for and shows."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import formulajoint as fj

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)

FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --disable-dev-shm-usage --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync --remote-debugging-pipe"
).split()

PATIENCE = 60.0
"""Seconds: a busy machine is not a failure."""


class Browser:
    """One page of a browser. Commands are those of the Chrome DevTools Protocol; events are kept."""

    def __init__(self, commands: int, answers: int) -> None:
        self.commands, self.answers = commands, answers
        self.rest, self.number, self.session = b"", 0, ""
        self.events: list[dict[str, Any]] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.commands, json.dumps(message).encode() + b"\0")
        while True:
            told = self.receive()
            if told.get("id") == self.number:
                assert "error" not in told, (method, told["error"])
                result: dict[str, Any] = told["result"]
                return result
            self.events.append(told)

    def receive(self) -> dict[str, Any]:
        while b"\0" not in self.rest:
            assert select.select([self.answers], [], [], PATIENCE)[0], "the browser does not answer"
            more = os.read(self.answers, 1 << 20)
            assert more, "the browser has closed the pipe"
            self.rest += more
        message, _, self.rest = self.rest.partition(b"\0")
        told: dict[str, Any] = json.loads(message)
        return told

    def open(self, path: Path, width: int, height: int, dark: bool = False) -> None:
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        self.call("Emulation.setEmulatedMedia", media="", features=scheme)
        self.events.clear()
        self.call("Page.navigate", url=path.as_uri())
        start = time.monotonic()
        while not any(event["method"] == "Page.loadEventFired" for event in self.events):
            assert time.monotonic() - start < PATIENCE
            self.events.append(self.receive())

    def do(self, expression: str) -> Any:
        """Return the value of JavaScript, of a promise when it is fulfilled."""
        done = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in done, done
        return done["result"].get("value")

    def middle(self, element: str) -> tuple[float, float]:
        """Bring an element, given as JavaScript, to sight and return its middle."""
        self.do(f"{element}.scrollIntoView({{block: 'center', behavior: 'instant'}})")
        self.do("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        box = self.do(
            f"(() => {{ const b = {element}.getBoundingClientRect(); return [b.x, b.y, b.width, b.height]; }})()"
        )
        return box[0] + box[2] / 2, box[1] + box[3] / 2

    def point(self, x: float, y: float) -> None:
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def press(self, element: str) -> None:
        x, y = self.middle(element)
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def key(self, name: str) -> None:
        text = {"text": "\r", "windowsVirtualKeyCode": 13} if name == "Enter" else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", key=name, code=name, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=name, code=name)

    def complaints(self) -> list[str]:
        """Return what stands in the console: errors, warnings and logs alike."""
        self.do("1")  # all that was on its way has come
        told = ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded")
        return [json.dumps(event["params"]) for event in self.events if event["method"] in told]

    def requests(self) -> list[str]:
        """Return the addresses asked for, that of the page among them."""
        self.do("1")
        sent = [event["params"] for event in self.events if event["method"] == "Network.requestWillBeSent"]
        return [params["request"]["url"] for params in sent]


WIRE = """
import fcntl, os, sys
commands, answers = (fcntl.fcntl(int(fd), fcntl.F_DUPFD, 20) for fd in sys.argv[1:3])
os.dup2(commands, 3)
os.dup2(answers, 4)
os.execv(sys.argv[3], sys.argv[3:])
"""
"""Chromium reads commands from descriptor 3 and answers on 4."""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Start a browser with a profile of its own, and end it."""
    if CHROMIUM is None:
        pytest.skip("no Chromium was found (on Debian and Ubuntu: apt install chromium)")
    profile = tmp_path_factory.mktemp("profile")
    (in_read, in_write), (out_read, out_write) = os.pipe(), os.pipe()
    wire = [sys.executable, "-c", WIRE, str(in_read), str(out_write)]
    process = subprocess.Popen(
        [*wire, CHROMIUM, *FLAGS, f"--user-data-dir={profile}", "about:blank"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=(in_read, out_write),
    )
    os.close(in_read)
    os.close(out_write)
    try:
        yield Browser(in_write, out_read)
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE)
        os.close(in_write)
        os.close(out_read)


@pytest.fixture(scope="module")
def seed(tutoring: fj.Fit, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the report of the seed data."""
    return tutoring.report(tmp_path_factory.mktemp("report") / "report.html")


@pytest.fixture
def page(browser: Browser, seed: Path) -> Iterator[Browser]:
    """Return the browser with that report on a laptop's screen; it must have been silent to the end."""
    browser.open(seed, 1366, 650)  # what a screen of 1366 by 768 leaves of a page
    yield browser
    assert browser.complaints() == []
    assert browser.requests() == [seed.as_uri()]


TIP = "document.getElementById('tip')"


def test_the_first_screen_holds_the_answers(page: Browser) -> None:
    lowest = page.do(
        "Math.max(...[...document.querySelectorAll('#answers article, #answers figure')].map((e) => e.getBoundingClientRect().bottom))"
    )
    assert lowest <= 650
    shown = page.do("document.getElementById('answers').innerText")
    assert "Yes, beyond reasonable doubt" in shown
    assert "Above zero with probability > 0.999" in shown


def test_drawings_are_drawn(page: Browser) -> None:
    """Every mark has a size and stands within its drawing."""
    outside = page.do("""[...document.querySelectorAll('.plot > svg')].flatMap((svg) => {
        const frame = svg.getBoundingClientRect();
        return [...svg.querySelectorAll('.dot, .hdi, .band, .bar')].filter((mark) => {
            const box = mark.getBoundingClientRect();
            return box.width === 0 || box.left < frame.left - 1 || box.right > frame.right + 1;
        });
    }).length""")
    assert outside == 0
    assert page.do("document.querySelectorAll('.plot .dot').length") == 3
    assert page.do("document.querySelectorAll('.plot .bar').length") > 20


def test_pointing_at_a_mark_tells_its_figures(page: Browser) -> None:
    assert page.do(f"{TIP}.hidden")
    x, y = page.middle("document.querySelector('.plot .row.group .hit')")
    page.point(x, y)
    assert page.do(f"{TIP}.textContent").startswith("A: 20.0")
    box = page.do(
        f"(() => {{ const b = {TIP}.getBoundingClientRect(); return [b.left, b.top, b.right, b.bottom]; }})()"
    )
    assert 0 <= box[0] < box[2] <= 1366
    assert 0 <= box[1] < box[3] <= 650
    page.point(5, 640)
    assert page.do(f"{TIP}.hidden")


def test_arrow_keys_walk_through_a_drawing(page: Browser) -> None:
    page.do("document.querySelector('[data-chart]').focus()")
    told = []
    for key in ("ArrowDown", "ArrowDown", "ArrowDown", "ArrowDown", "ArrowUp"):
        page.key(key)
        told.append(page.do(f"{TIP}.textContent").partition(":")[0])
    assert told == ["A", "B", "joint_treatment", "joint_treatment", "B"]
    page.key("Escape")
    assert page.do(f"{TIP}.hidden")


def test_a_press_on_a_head_sorts(page: Browser) -> None:
    table = "document.querySelector('#groups table')"
    head = f"[...{table}.tHead.rows[0].cells].find((cell) => cell.textContent === 'mean')"
    schools = f"[...{table}.tBodies[0].rows].map((row) => row.cells[0].textContent).join('')"
    for order, expected in (("ascending", "BA"), ("descending", "AB"), ("ascending", "BA")):
        page.press(f"{head}.querySelector('button')")
        assert page.do(schools) == expected
        assert page.do(f"{head}.getAttribute('aria-sort')") == order
    page.do(f"{table}.tHead.rows[0].cells[0].querySelector('button').focus()")
    page.key("Enter")
    assert page.do(f"{head}.getAttribute('aria-sort')") is None


def test_the_button_turns_light_to_dark_and_back(page: Browser) -> None:
    paper = "getComputedStyle(document.body).backgroundColor"
    light = page.do(paper)
    page.press("document.getElementById('theme')")
    dark = page.do(paper)
    assert light == "rgb(255, 255, 255)" != dark
    page.press("document.getElementById('theme')")
    assert page.do(paper) == light


def test_the_reader_who_likes_it_dark_has_it_dark(browser: Browser, seed: Path) -> None:
    browser.open(seed, 1366, 650, dark=True)
    assert browser.do("getComputedStyle(document.body).backgroundColor") == "rgb(21, 25, 30)"


@pytest.mark.parametrize("width", [320, 390, 768, 1920])
def test_no_screen_is_too_narrow(browser: Browser, seed: Path, width: int) -> None:
    browser.open(seed, width, 844)
    assert browser.do("document.documentElement.scrollWidth") <= width


def test_a_printed_page_is_light_and_holds_everything(browser: Browser, seed: Path) -> None:
    browser.open(seed, 700, 1000, dark=True)
    browser.call("Emulation.setEmulatedMedia", media="print")
    assert browser.do("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert browser.do("document.documentElement.scrollWidth") <= 700
    hidden = "[...document.querySelectorAll('.plot .bar, .plot .dot')].filter((mark) => !mark.getBoundingClientRect().width)"
    assert browser.do(f"{hidden}.length") == 0
    assert browser.do(
        "[...document.querySelectorAll('.scroll')].every((box) => box.scrollWidth <= box.clientWidth)"
    )


def test_on_a_telephone_no_row_of_a_table_is_blown_up_by_a_text_out_of_sight(
    browser: Browser, seed: Path
) -> None:
    browser.open(seed, 400, 844)
    heights = browser.do(
        "['contrasts', 'test', 'groups'].flatMap((id) => [...document.querySelectorAll(`#${id} tbody tr`)]"
        ".map((row) => row.getBoundingClientRect().height))"
    )
    assert len(heights) == 4
    assert max(heights) < 95
    links = "[...document.querySelectorAll('nav a')].map((a) => a.getBoundingClientRect().right)"
    assert max(browser.do(links)) <= 400


def test_print_has_heads_and_no_controls(
    browser: Browser,
    fit_of: Callable[..., fj.Fit],
    schools: Callable[[list[str]], pd.DataFrame],
    tmp_path: Path,
) -> None:
    fit = fit_of("score ~ treatment | school, joint()", schools([f"s{i}" for i in range(30)]))
    browser.open(fit.report(tmp_path / "many.html"), 700, 1000)
    shown = "[...document.querySelectorAll('%s')].filter((e) => e.getClientRects().length).length"
    assert browser.do(shown % "input") == 1
    browser.call("Emulation.setEmulatedMedia", media="print")
    for controls in ("input", "nav a", "#theme", "[data-copy]", ".screen"):
        assert browser.do(shown % controls) == 0
    heads = browser.do(
        "[...document.querySelectorAll('thead th')].map((head) => [getComputedStyle(head).position, head.innerText])"
    )
    assert all(
        position == "static" and text for position, text in heads
    )  # a sticky head is empty on a second page
    breaks = "[...document.querySelectorAll('h2, thead')].map((e) => getComputedStyle(e).breakAfter)"
    assert set(browser.do(breaks)) == {"avoid"}


def test_many_schools_are_named_and_the_diamond_is_as_wide_as_its_interval(
    browser: Browser,
    fit_of: Callable[..., fj.Fit],
    schools: Callable[[list[str]], pd.DataFrame],
    tmp_path: Path,
) -> None:
    fit = fit_of("score ~ treatment | school, joint()", schools([f"s{i:02}" for i in range(60)]))
    browser.open(fit.report(tmp_path / "sixty.html"), 1366, 650)
    boxes = browser.do(
        "[...document.querySelectorAll('#answers .labels bdi')].map((e) => [e.textContent, "
        "...(({top, bottom}) => [top, bottom])(e.getBoundingClientRect())])"
    )
    assert {name for name, *_ in boxes} == {f"s{i:02}" for i in range(60)} | {"joint_treatment"}
    boxes.sort(key=lambda box: box[1])
    assert all(above[2] <= below[1] + 2 for above, below in pairwise(boxes))
    widths = browser.do(
        "['.dot', '.hdi'].map((mark) => document.querySelector(`#answers .row.joint ${mark}`).getBoundingClientRect().width)"
    )
    assert widths[0] == pytest.approx(widths[1], abs=4)


def test_arms_of_long_names_have_a_title_each(
    browser: Browser,
    fit_of: Callable[..., fj.Fit],
    schools: Callable[[list[str]], pd.DataFrame],
    tmp_path: Path,
) -> None:
    data, long = schools(["A", "B"]), "phonics intervention with weekly coaching"
    arms = np.array(["control", f"{long}, online", f"{long}, in person"])
    fit = fit_of("score ~ arm | school, joint()", data.assign(arm=arms[np.arange(len(data)) % 3]))
    browser.open(fit.report(tmp_path / "arms.html"), 400, 844)
    assert browser.do("[...document.querySelectorAll('#answers h4')].map((e) => e.textContent)") == [
        f"{long}, in person - control",
        f"{long}, online - control",
    ]
    clipped = "[...document.querySelectorAll('#answers bdi')].filter((e) => e.scrollWidth > e.clientWidth + 1).length"
    assert browser.do(clipped) == 0
    assert browser.do("document.documentElement.scrollWidth") <= 400


def test_rows_are_filtered_and_sorted_by_number(
    browser: Browser,
    fit_of: Callable[..., fj.Fit],
    schools: Callable[[list[str]], pd.DataFrame],
    tmp_path: Path,
) -> None:
    data = schools([f"{i}" for i in range(30)])
    browser.open(fit_of("score ~ treatment | school", data, "flat").report(tmp_path / "many.html"), 1366, 650)
    browser.press("document.querySelector('[data-filter]')")
    browser.call("Input.insertText", text="2")
    rows = "[...document.querySelectorAll('#groups tbody tr')].filter((row) => !row.hidden)"
    assert browser.do(f"{rows}.length") == 12
    assert "12 of 30" in browser.do("document.querySelector('#groups').innerText")
    browser.press("document.querySelector('#groups thead button')")
    shown = browser.do(f"{rows}.map((row) => row.cells[0].textContent)")
    assert shown == sorted(shown, key=int)
    assert browser.complaints() == []


def test_a_label_that_looks_like_a_script_does_nothing(
    browser: Browser,
    fit_of: Callable[..., fj.Fit],
    schools: Callable[[list[str]], pd.DataFrame],
    tmp_path: Path,
) -> None:
    evil = ["<script>window.hit = 1</script>", "<img src=x onerror='window.hit = 1'>"]
    browser.open(
        fit_of("score ~ treatment | school, joint()", schools(evil)).report(tmp_path / "evil.html"), 1366, 650
    )
    x, y = browser.middle("document.querySelector('.plot .row.group .hit')")
    browser.point(x, y)
    assert "<" in browser.do(f"{TIP}.textContent")
    assert browser.do("window.hit") is None
    assert browser.complaints() == []


def test_the_policy_of_the_page_stops_what_is_not_its_own(page: Browser) -> None:
    """Even if a label became markup, nothing of it would run or be fetched."""
    page.do(
        "document.body.insertAdjacentHTML('beforeend', '<img src=\"https://example.org/x.png\" onerror=\"window.hit = 1\">')"
    )
    page.do("new Promise((done) => setTimeout(done, 100))")
    assert page.do("window.hit") is None
    assert any("Content Security Policy" in complaint for complaint in page.complaints())
    page.events = [event for event in page.events if event["method"] != "Log.entryAdded"]
    page.events = [e for e in page.events if "example.org" not in json.dumps(e)]
