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

// The waiting list: J and K move, Enter assigns, I refuses; the dossier's field gets what is proposed.
const typing = (target) => target.closest("input:not([type=checkbox]), textarea, select");
document.addEventListener("keydown", (event) => {
  const desk = document.querySelector("[data-desk]");
  if (!desk || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
  const key = event.key.toLowerCase();
  if (key === "j") desk.querySelector("[data-next]")?.click();
  else if (key === "k") desk.querySelector("[data-earlier]")?.click();
  else if (key === "i") { const remark = desk.querySelector("[data-refuse]"); remark.closest("details").open = true; remark.focus(); }
  else if (key === "o") desk.querySelector("[data-original]")?.click();
  else if (key === "enter" && event.target === document.body) document.getElementById("assign")?.requestSubmit();
  else return;
  event.preventDefault();
});
// In the dossier's field Escape goes back to the keys of the list.
document.addEventListener("keydown", (event) => { if (event.key === "Escape" && event.target.id === "dossier") event.target.blur(); });

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-choose]");
  if (!button) return;
  const field = document.getElementById("dossier");
  field.value = button.dataset.choose;
  field.focus();
});

document.addEventListener("htmx:after:swap", () => {
  const proposed = document.querySelector("[data-suggested]");
  const field = document.getElementById("dossier");
  if (proposed && field && !field.value && !field.dataset.filled) {
    field.value = proposed.dataset.suggested;
    field.dataset.filled = "yes";
    if (document.activeElement === field) field.select();
  }
});

// An undo is offered for ten seconds.
for (const form of document.querySelectorAll("[data-undo]")) setTimeout(() => form.remove(), 10000);
