"use strict";
const root = document.documentElement;
const tip = document.getElementById("tip");
const all = (selector, within = document) => [...within.querySelectorAll(selector)];

// Light and dark: the reader's own setting, until the button is pressed.
document.getElementById("theme").addEventListener("click", () => {
  const dark = root.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  root.dataset.theme = dark === "dark" ? "light" : "dark";
});

// What a mark stands for, told where it is pointed at; in a chart that has the focus, by the arrow keys.
function show(mark) {
  all(".at").forEach((other) => other.classList.remove("at"));
  tip.hidden = !mark;
  if (!mark) return;
  mark.classList.add("at");
  tip.textContent = mark.dataset.tip;
  const at = mark.getBoundingClientRect(), own = tip.getBoundingClientRect();
  const left = at.left + at.width / 2 - own.width / 2;
  tip.style.left = Math.max(4, Math.min(left, innerWidth - own.width - 4)) + "px";
  tip.style.top = (at.top > own.height + 8 ? at.top - own.height - 4 : at.bottom + 4) + "px";
}
document.addEventListener("pointerover", (event) => show(event.target.closest("[data-tip]")));
document.addEventListener("scroll", () => show(null), true);
for (const chart of all("[data-chart]")) {
  chart.addEventListener("blur", () => show(null));
  chart.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (event.key === "Escape") show(null);
    if (!step) return;
    event.preventDefault();
    const marks = all("[data-tip]", chart), now = marks.findIndex((mark) => mark.classList.contains("at"));
    show(marks[now < 0 ? (step > 0 ? 0 : marks.length - 1) : Math.max(0, Math.min(now + step, marks.length - 1))]);
  });
}

// Tables are sorted by a press on a head: numbers by size, texts by the alphabet, empty cells last.
function sortBy(head) {
  const down = head.getAttribute("aria-sort") === "ascending";
  for (const other of head.parentNode.cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
  const body = head.closest("table").tBodies[0], sign = down ? -1 : 1;
  const key = (row) => row.cells[head.cellIndex].dataset.key ?? row.cells[head.cellIndex].textContent;
  const rows = [...body.rows].map((row) => [key(row), row]);
  rows.sort(([a], [b]) => {
    if (a === "" || b === "") return (a === "") - (b === "");
    return sign * (isNaN(a) || isNaN(b) ? a.localeCompare(b, undefined, { numeric: true }) : a - b);
  });
  body.append(...rows.map(([, row]) => row));
}
for (const head of all("thead th")) head.querySelector("button").addEventListener("click", () => sortBy(head));

for (const input of all("[data-filter]")) {
  const rows = all("tbody tr", input.closest("p").nextElementSibling);
  input.addEventListener("input", () => {
    const wanted = input.value.toLowerCase();
    for (const row of rows) row.hidden = !row.cells[0].textContent.toLowerCase().includes(wanted);
    input.closest("p").lastElementChild.textContent = rows.filter((row) => !row.hidden).length + " of " + rows.length;
  });
}

for (const button of all("[data-copy]")) {
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.nextElementSibling.textContent);
    button.textContent = "Copied";
  });
}
