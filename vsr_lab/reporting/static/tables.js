// Panels of which one is shown, and tables that sort.
"use strict";

function bindSwitches() {
  for (const group of all("[data-switch]")) {
    group.addEventListener("change", (event) => {
      for (const panel of all(`[data-panel="${group.dataset.switch}"]`)) {
        panel.hidden = panel.dataset.index !== event.target.value;
      }
    });
  }
}

/** Sort a table's body by a column; what was not measured stays at the end either way. */
function sort(table, column, direction) {
  const sign = direction === "ascending" ? 1 : -1;
  const value = (row) => row.cells[column].dataset.value;
  const compare = (a, b) => {
    if (a === "" || b === "") return (a === "") - (b === "");
    return sign * (column === 0 ? a.localeCompare(b, undefined, { numeric: true }) : a - b);
  };
  const body = table.tBodies[0];
  body.append(...[...body.rows].sort((a, b) => compare(value(a), value(b))));
}

function bindSorting() {
  for (const table of all("[data-sortable]")) {
    const headings = [...table.tHead.rows[0].cells];
    headings.forEach((heading, column) => {
      find("button", heading).addEventListener("click", (event) => {
        const other = { ascending: "descending", descending: "ascending" };
        const direction = other[heading.getAttribute("aria-sort")] ?? event.currentTarget.dataset.first;
        headings.forEach((each) => each.removeAttribute("aria-sort"));
        heading.setAttribute("aria-sort", direction);
        sort(table, column, direction);
      });
    });
  }
}

bindSwitches();
bindSorting();
