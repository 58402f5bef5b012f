// What the other scripts share: the data, elements, and numbers as text.
"use strict";

const read = (id) => JSON.parse(document.getElementById(id).textContent);
const data = read("comparison");
const find = (selector, root = document) => root.querySelector(selector);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const metricOf = (name) => data.metrics.find((metric) => metric.name === name);

/** A new element with its properties set and its children in it. Text only ever goes in as text. */
function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

/** Put a sentence where a section has nothing to show. */
function say(section, sentence) {
  const title = find("h2", section);
  section.replaceChildren(title, make("p", { className: "empty", textContent: sentence }));
}

/** Plotly reads tags and entities in every text it is given: names must reach it escaped. */
const plain = (text) => String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
const number = (value, digits) =>
  Number.isFinite(value) ? value.toFixed(digits).replace("-", "\u2212") : "\u2013";
const withUnit = (metric) => plain(metric.unit ? `${metric.label} (${metric.unit})` : metric.label);

/** Fill a select with options grouped by suite; items are {suite, clip}. */
function fillClips(select, items) {
  for (const suite of new Set(items.map((item) => item.suite))) {
    const group = make("optgroup", { label: suite });
    items.forEach((item, index) => {
      if (item.suite === suite) group.append(new Option(`${suite} / ${item.clip}`, index));
    });
    select.append(group);
  }
}
