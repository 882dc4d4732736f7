// What the pages do beyond forms and links. All of them work without this file.
"use strict";

let went = "";

function typing(target) {
  return target.closest("input, select, textarea, [contenteditable]") !== null;
}

function rows() {
  const found = document.activeElement.closest(".find");
  return [...document.querySelectorAll(found ? "#found a" : "[data-rows] tr a[data-row]")];
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

// The box in the header: the arrows lead through the genes below it, and Enter goes to the first.
document.addEventListener("keydown", (event) => {
  const box = event.target.closest(".find")?.querySelector("input");
  if (!box) return;
  if (event.key === "Escape") {
    event.target.blur();
  } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    if (event.key === "ArrowUp" && event.target === rows()[0]) box.focus();
    else if (event.key === "ArrowDown" || event.target !== box) move(event.key === "ArrowDown" ? 1 : -1);
  } else if (event.key === "Enter" && event.target === box) {
    // only what was found for this very text
    const found = document.querySelector("#found ul");
    const first = found?.dataset.for === box.value && found.querySelector("li:first-child a");
    if (first) {
      event.preventDefault();
      first.click();
    }
  }
});

document.addEventListener("submit", (event) => {
  const question = event.target.dataset.question;
  if (question && !window.confirm(question)) event.preventDefault();
});

// A command can be selected without this.
if (navigator.clipboard) document.documentElement.classList.add("can-copy");

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(button.previousElementSibling.textContent);
  button.textContent = "Copied";
  setTimeout(() => { button.textContent = "Copy"; }, 2000);
});
