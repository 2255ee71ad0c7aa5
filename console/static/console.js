// What the console does beyond plain HTML: every page works without it. Never loads anything from elsewhere.
"use strict";

// Menus close when something else is clicked, or by Escape.
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]"))
    if (!menu.contains(event.target)) menu.open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape")
    for (const menu of document.querySelectorAll("details.menu[open]")) { menu.open = false; menu.querySelector("summary").focus(); }
});

// data-copy="id": copies the text of that element.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent.trim());
  document.getElementById("status").textContent = button.dataset.copied;
});

// data-confirm="question": asks before a form is sent.
document.addEventListener("submit", (event) => {
  const question = event.submitter?.dataset.confirm;
  if (question && !window.confirm(question)) event.preventDefault();
});

// data-all="name": ticks all boxes of that name.
document.addEventListener("change", (event) => {
  const name = event.target.dataset?.all;
  if (name) for (const box of document.querySelectorAll(`input[type=checkbox][name="${name}"]`)) box.checked = event.target.checked;
});

// data-print: prints the page.
document.addEventListener("click", (event) => { if (event.target.closest("[data-print]")) window.print(); });
