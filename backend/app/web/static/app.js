// What the pages do beyond forms and links. All of them work without this file.
"use strict";

let went = "";

function typing(target) {
  return target.closest("input, select, textarea, [contenteditable]") !== null;
}

function rows() {
  return [...document.querySelectorAll("[data-rows] tr a[data-row]")];
}

function move(step) {
  const found = rows();
  if (!found.length) return;
  const at = found.indexOf(document.activeElement);
  const next = at < 0 ? (step > 0 ? 0 : found.length - 1) : at + step;
  found[Math.min(Math.max(next, 0), found.length - 1)].focus();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
  const help = document.getElementById("keys");
  const link = [...document.querySelectorAll("header a[data-key]")]
    .find((each) => each.dataset.key === event.key);
  if (went === "g" && link) {
    link.click();
  } else if (event.key === "/") {
    const search = document.querySelector("[data-search]");
    if (search) {
      event.preventDefault();
      search.focus();
    }
  } else if (event.key === "?" && help) {
    help.open ? help.close() : help.showModal();
  } else if (event.key === "j") {
    move(1);
  } else if (event.key === "k") {
    move(-1);
  }
  went = event.key;
});

document.addEventListener("submit", (event) => {
  const question = event.target.dataset.question;
  if (question && !window.confirm(question)) event.preventDefault();
});
