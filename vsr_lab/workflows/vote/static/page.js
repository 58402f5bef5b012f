// Asks for a name, then shows pairs and sends the answers. It never learns which candidates they are.
"use strict";

const find = (selector) => document.querySelector(selector);
const KEYS = { ArrowLeft: "left", ArrowRight: "right", ArrowDown: "equal" };
let voter = "";
let number = null; // of the pair that is shown; null: none
let shownAt = 0;

function show({ number: next, done, trials }) {
  number = next;
  find("#begin").hidden = true;
  find("#trial").hidden = next === null;
  find("#done").hidden = next !== null;
  if (next === null) return;
  find("#video").src = `/video?${new URLSearchParams({ voter, number: next })}`;
  find("#progress").textContent = `Pair ${done + 1} of ${trials}`;
  shownAt = performance.now();
}

async function ask(path, options) {
  const problem = find("#problem");
  try {
    const response = await fetch(path, options);
    if (!response.ok) throw new Error(`The vote was not taken (${response.status}).`);
    problem.hidden = true;
    show(await response.json());
  } catch (error) {
    problem.textContent = `${error.message} Is vsr-lab vote still running? Try again.`;
    problem.hidden = false;
  }
}

async function answer(given) {
  if (number === null) return;
  const vote = { voter, number, answer: given, seconds: (performance.now() - shownAt) / 1000 };
  number = null; // a key that is held down answers one pair
  await ask("/vote", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(vote) });
  if (number === null && find("#problem").hidden === false) number = vote.number;
}

find("#begin").addEventListener("submit", (event) => {
  event.preventDefault();
  voter = find("#voter").value.trim();
  if (voter) ask(`/next?${new URLSearchParams({ voter })}`);
});
document.querySelectorAll("[data-answer]").forEach((button) =>
  button.addEventListener("click", () => answer(button.dataset.answer)));
document.addEventListener("keydown", (event) => {
  if (find("#trial").hidden || event.repeat || event.ctrlKey || event.altKey || event.metaKey) return;
  const video = find("#video");
  if (KEYS[event.key]) answer(KEYS[event.key]);
  else if (event.key === " " && event.target.tagName !== "BUTTON") video.paused ? video.play() : video.pause();
  else return;
  event.preventDefault();
});
