"use strict";
(() => {
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const data = read("comparison");
  const files = new Map(Object.entries(read("picture-data")));
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

  // ---------------------------------------------------------------- panels and sorting

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

  // ---------------------------------------------------------------- plots

  const hidden = new Set();
  const COLOURS = 8;

  /** A candidate's colour, mark and dash: eight colours, then the same again with another mark and dash. */
  function look(name) {
    const others = data.candidates.filter((candidate) => candidate.name !== data.baseline);
    const index = others.findIndex((candidate) => candidate.name === name);
    if (index < 0) return { colour: style("--series-baseline"), symbol: "square", dash: "dot" };
    const round = Math.floor(index / COLOURS) % 3;
    return {
      colour: style(`--series-${index % COLOURS}`),
      symbol: ["circle", "diamond", "triangle-up"][round],
      dash: ["solid", "dash", "dashdot"][round],
    };
  }

  const SHAPES = { square: "M3 3h8v8H3z", circle: "M7 2a5 5 0 1 0 .01 0z", diamond: "M7 1l6 6-6 6-6-6z",
    "triangle-up": "M7 2l6 10H1z" };

  function swatch(name) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    svg.setAttribute("width", 14);
    svg.setAttribute("height", 14);
    svg.setAttribute("aria-hidden", "true");
    path.setAttribute("d", SHAPES[look(name).symbol]);
    path.setAttribute("fill", look(name).colour);
    svg.append(path);
    return svg;
  }

  /** The legends: each candidate a button that hides it in every plot. */
  function drawLegends() {
    for (const legend of all(".legend")) {
      const buttons = data.candidates.map(({ name }) => {
        const button = make("button", { type: "button" }, swatch(name), name);
        button.setAttribute("aria-pressed", String(!hidden.has(name)));
        button.addEventListener("click", () => {
          if (!hidden.delete(name)) hidden.add(name);
          for (const twin of all(".legend")) {
            twin.children[data.candidates.findIndex((candidate) => candidate.name === name)]
              .setAttribute("aria-pressed", String(!hidden.has(name)));
          }
          drawPlots();
        });
        return button;
      });
      legend.replaceChildren(...buttons);
    }
  }

  function layout(xTitle, yTitle, extra) {
    const axis = (title) => ({
      title: { text: title, standoff: 8 }, gridcolor: style("--line"), linecolor: style("--line"),
      zeroline: false, automargin: true, ticks: "",
    });
    return {
      xaxis: axis(xTitle), yaxis: axis(yTitle), showlegend: false,
      margin: { l: 56, r: 16, t: 12, b: 48 },
      paper_bgcolor: style("--surface"), plot_bgcolor: style("--surface"),
      font: { family: style("--sans"), size: 12, color: style("--text") },
      hoverlabel: { bgcolor: style("--raised"), bordercolor: style("--line"), align: "left", namelength: -1,
        font: { family: style("--sans"), color: style("--text") } },
      dragmode: false,
      ...extra,
    };
  }

  const draw = (element, traces, lay) =>
    Plotly.react(element, traces, lay, { displayModeBar: false, responsive: true });

  const keyOf = (candidate, suite, metric) => JSON.stringify([candidate, suite, metric]);
  const cells = new Map(data.cells.map((cell) => [keyOf(cell.candidate, cell.suite, cell.metric), cell]));

  /** The candidates of a suite that have both values. */
  function points(suite) {
    return data.candidates
      .filter(({ name }) => !hidden.has(name))
      .map((candidate) => ({
        candidate,
        x: cells.get(keyOf(candidate.name, suite, "flicker")),
        y: cells.get(keyOf(candidate.name, suite, "psnr")),
        front: (data.pareto[suite] ?? []).includes(candidate.name),
      }))
      .filter(({ x, y }) => x && y);
  }

  /** An interval as a bar; none where it is missing, or comes of two clips, whose intervals are many times too wide. */
  const errorBar = ({ mean, low, high, about }, color, clips) =>
    low === null || (about === "clips" && clips === 2) ? { visible: false }
      : { type: "data", symmetric: false, array: [high - mean], arrayminus: [mean - low], color, thickness: 1.2, width: 3 };

  /** The range of an axis on which the points fill the plot, however long their bars are. */
  function rangeOf(values) {
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const margin = 0.2 * (high - low) || 0.05 * Math.abs(high) || 1;
    return values.length ? [low - margin, high + margin] : undefined;
  }

  function tradeoffTraces(suite, shown) {
    const slowest = Math.max(...data.candidates.map((candidate) => candidate.ms_per_frame ?? 0), 1e-9);
    const clips = suite.clips.length;
    const [flicker, psnr] = [metricOf("flicker"), metricOf("psnr")];
    return shown.map(({ candidate, x, y, front }) => {
      const { colour, symbol } = look(candidate.name);
      return {
        x: [x.mean], y: [y.mean], mode: "markers", name: plain(candidate.name),
        error_x: errorBar(x, colour, clips), error_y: errorBar(y, colour, clips),
        marker: { color: front ? colour : style("--surface"), symbol, opacity: 1,
          size: 9 + 13 * Math.sqrt((candidate.ms_per_frame ?? 0) / slowest),
          line: { width: 2, color: colour } },
        customdata: [[plain(candidate.name), number(y.mean, psnr.digits), number(x.mean, flicker.digits),
          number(candidate.ms_per_frame, 1), candidate.parameters?.toLocaleString("en") ?? "\u2013",
          front ? "<br>on the Pareto front" : ""]],
        hovertemplate: "<b>%{customdata[0]}</b><br>" + `${withUnit(psnr)} %{customdata[1]}<br>`
          + `${withUnit(flicker)} %{customdata[2]}<br>%{customdata[3]} ms/frame<br>`
          + "%{customdata[4]} parameters%{customdata[5]}<extra></extra>",
      };
    });
  }

  function drawTradeoff() {
    for (const [index, drawing] of all("#tradeoff-plots .drawing").entries()) {
      const titles = [`\u2190 less flicker \u2003 ${withUnit(metricOf("flicker"))}`, withUnit(metricOf("psnr"))];
      const suite = data.suites[index];
      const shown = points(suite.name);
      const lay = layout(...titles, { hovermode: "closest" });
      lay.xaxis.range = rangeOf(shown.map(({ x }) => x.mean));
      lay.yaxis.range = rangeOf(shown.map(({ y }) => y.mean));
      draw(drawing, tradeoffTraces(suite, shown), lay);
    }
  }

  function setUpTradeoff() {
    if (!metricOf("psnr") || !metricOf("flicker")) {
      say(find("#tradeoff"), "This plot needs both PSNR and flicker; this comparison does not have both.");
      return;
    }
    const plot = ({ name }) => make("figure", { className: "plot" },
      make("h3", { textContent: name }), make("div", { className: "drawing" }));
    find("#tradeoff-plots").append(...data.suites.map(plot));
  }

  /** The clips that have curves, in the comparison's order. */
  const clipsWithCurves = [...new Map(
    data.curves.map(({ suite, clip }) => [JSON.stringify([suite, clip]), { suite, clip }]),
  ).values()];
  const curvesOf = ({ suite, clip }) =>
    data.curves.filter((curve) => curve.suite === suite && curve.clip === clip);

  /** Offer the metrics that the chosen clip has curves of, keeping the chosen one where it has. */
  function fillCurveMetrics() {
    const select = find("#curve-metric");
    const kept = select.value;
    const curves = curvesOf(clipsWithCurves[find("#curve-clip").value]);
    const names = [...new Set(curves.map((curve) => curve.metric))];
    select.replaceChildren(...names.map((name) => new Option(metricOf(name)?.label ?? name, name)));
    select.value = names.includes(kept) ? kept : names.includes("psnr") ? "psnr" : names[0];
  }

  function drawCurves() {
    const name = find("#curve-metric").value;
    const metric = metricOf(name) ?? { label: name, unit: "", digits: 3 };
    const traces = curvesOf(clipsWithCurves[find("#curve-clip").value])
      .filter((curve) => curve.metric === name && !hidden.has(curve.candidate))
      .map(({ candidate, values }) => {
        const { colour, dash } = look(candidate);
        return { x: values.map((_, frame) => frame), y: values, mode: "lines", name: plain(candidate),
          connectgaps: false, line: { color: colour, dash, width: candidate === data.baseline ? 1.6 : 2 },
          hovertemplate: `%{y:.${metric.digits}f}` };
      });
    const lay = layout("Frame", withUnit(metric), { hovermode: "x unified" });
    Object.assign(lay.xaxis, { spikecolor: style("--muted"), spikethickness: 1, spikedash: "solid",
      unifiedhovertitle: { text: "Frame %{x}" } });
    draw(find("#curve-plot .drawing"), traces, lay);
  }

  function setUpCurves() {
    if (clipsWithCurves.length === 0) {
      say(find("#curves"), "This comparison has no per-frame values.");
      return;
    }
    fillClips(find("#curve-clip"), clipsWithCurves);
    find("#curve-plot").append(make("div", { className: "drawing" }));
    find("#curve-clip").addEventListener("change", () => { fillCurveMetrics(); drawCurves(); });
    find("#curve-metric").addEventListener("change", drawCurves);
    fillCurveMetrics();
  }

  function drawPlots() {
    if (find("#tradeoff-plots")) drawTradeoff();
    if (find("#curve-plot")) drawCurves();
  }

  // ---------------------------------------------------------------- pictures

  const TALLEST = 640;
  let views = []; // of the chosen clip: {name, path, low}, in the order they are shown
  let lastSuite = null; // within a suite the two sides are kept from clip to clip

  const chosenPicture = () => data.pictures[find("[data-pick-picture]").value];

  function viewsOf(picture) {
    return [
      { name: "low resolution", path: picture.lr, low: true },
      ...picture.candidates.map(({ candidate, sr }) => ({ name: candidate, path: sr, low: false })),
      { name: "truth", path: picture.hr, low: false },
    ];
  }

  /** Start with the baseline against the clip's own specialist, or what comes nearest to that. */
  function defaultSides(picture) {
    const content = data.suites.find((suite) => suite.name === picture.suite)?.content;
    const homes = data.candidates.filter((candidate) => candidate.content && candidate.content === content);
    const names = picture.candidates.map(({ candidate }) => candidate);
    const others = names.filter((name) => name !== data.baseline);
    const home = homes.map(({ name }) => name).find((name) => names.includes(name));
    const place = (name, otherwise) => (names.includes(name) ? names.indexOf(name) + 1 : otherwise);
    return [place(data.baseline, 0), place(home ?? others[0], views.length - 1)];
  }

  /** The largest zoom that gives each picture pixel a whole number of the screen's own, or 0. */
  const wholeZoom = (fit) => Math.floor(fit * devicePixelRatio) / devicePixelRatio;

  /** Whole pixels on the stage too, where there is room for one each. */
  function sizeStage() {
    const { width, height } = files.get(chosenPicture().hr);
    const room = find(".viewer").clientWidth - 2 * parseFloat(getComputedStyle(find(".viewer")).paddingLeft);
    const fit = Math.min(room / width, TALLEST / height);
    const zoom = wholeZoom(fit);
    const shown = width * (zoom || fit);
    for (const element of [find("#stage"), find("#divider")]) element.style.width = `${shown}px`;
    find("#stage").style.aspectRatio = `${width} / ${height}`;
    for (const image of all("#stage img")) {
      image.classList.toggle("pixelated", zoom > 1 || image.dataset.low === "true");
    }
  }

  function showSides() {
    const picture = chosenPicture();
    for (const side of ["left", "right"]) {
      const { name, path, low } = views[find(`#${side}-name`).value];
      const image = find(`#${side}-picture`);
      image.src = files.get(path).uri;
      image.alt = `${name}, on the ${side}`;
      image.dataset.low = low;
      find(`.tag.${side}`).textContent = name;
    }
    all("#crops button").forEach((button, index) =>
      button.setAttribute("aria-pressed", String(String(index) === find("#right-name").value)));
    find("#stage-caption").textContent = `${picture.suite} / ${picture.clip}, frame ${picture.frame}. `
      + "Drag across the picture, or use the arrow keys.";
    sizeStage();
  }

  function moveDivider() {
    const range = find("#divider");
    find("#stage").style.setProperty("--cut", `${range.value}%`);
    range.setAttribute("aria-valuetext", `${Math.round(range.value)} % from the left`);
  }

  function showCrops() {
    find("#crops").replaceChildren(...views.map(({ name, path, low }, index) => {
      const { uri, width, height } = files.get(path);
      const image = make("img", { src: uri, alt: "", width, height, className: low ? "pixelated" : "" });
      const button = make("button", { type: "button" }, image, make("span", { textContent: name }));
      button.addEventListener("click", () => { find("#right-name").value = index; showSides(); });
      return button;
    }));
  }

  /** An x-t slice, stretched along time. */
  function slice(path, alt) {
    const { uri, width, height } = files.get(path);
    const image = make("img", { src: uri, alt, className: "pixelated" });
    image.style.aspectRatio = `${width} / ${height * Math.max(1, Math.round(width / height / 5))}`;
    image.dataset.width = width;
    return image;
  }

  /** Never reduced: missing pixels would look like flicker. */
  function sizeSlices() {
    for (const image of all(".slice img")) {
      const { width } = image.dataset;
      image.style.width = `${width * Math.max(1, wholeZoom(image.parentElement.clientWidth / width))}px`;
    }
  }

  function showSlices() {
    const { hr_xt: truth, candidates, row } = chosenPicture();
    find("#slice-list").replaceChildren(...candidates.map(({ candidate, sr_xt: path }) => {
      const caption = (text) => make("figcaption", { textContent: text });
      const strip = make("div", { className: "strip", tabIndex: 0 }, slice(truth, "truth"), make("hr"),
        slice(path, candidate));
      strip.setAttribute("role", "group");
      strip.setAttribute("aria-label", `Time slice of the truth above ${candidate}`);
      return make("figure", { className: "slice" }, caption(`truth, row ${row}`), strip, caption(candidate));
    }));
    const widest = Math.max(0, ...candidates.map(({ sr_xt: path }) => files.get(path).width));
    find("#slice-list").style.setProperty("--widest", `${widest}px`);
    sizeSlices();
  }

  function showPicture() {
    const picture = chosenPicture();
    views = viewsOf(picture);
    const sides = defaultSides(picture);
    for (const [place, side] of ["left", "right"].entries()) {
      const select = find(`#${side}-name`);
      const kept = select.selectedOptions[0]?.text;
      select.replaceChildren(...views.map(({ name }, index) => new Option(name, index)));
      const same = views.findIndex(({ name }) => name === kept);
      select.value = picture.suite === lastSuite && same >= 0 ? same : sides[place];
    }
    lastSuite = picture.suite;
    showCrops();
    showSides();
    showSlices();
  }

  function setUpPictures() {
    if (data.pictures.length === 0) {
      for (const id of ["#pictures", "#slices"]) say(find(id), "This comparison has no pictures.");
      return;
    }
    for (const select of all("[data-pick-picture]")) {
      fillClips(select, data.pictures);
      select.addEventListener("change", () => {
        all("[data-pick-picture]").forEach((twin) => { twin.value = select.value; });
        showPicture();
      });
    }
    all("#left-name, #right-name").forEach((select) => select.addEventListener("change", showSides));
    const [stage, range] = [find("#stage"), find("#divider")];
    const drag = (event) => {
      const box = stage.getBoundingClientRect();
      range.value = (100 * (event.clientX - box.left)) / box.width;
      moveDivider();
    };
    range.addEventListener("input", moveDivider);
    stage.addEventListener("pointerdown", (event) => {
      stage.setPointerCapture(event.pointerId);
      drag(event);
      range.focus({ preventScroll: true });
      event.preventDefault(); // otherwise the browser moves the focus
    });
    stage.addEventListener("pointermove", (event) => {
      if (stage.hasPointerCapture(event.pointerId)) drag(event);
    });
    new ResizeObserver(sizeStage).observe(find(".viewer"));
    new ResizeObserver(sizeSlices).observe(find("#slice-list"));
    moveDivider();
    showPicture();
  }

  bindSwitches();
  bindSorting();
  setUpTradeoff();
  setUpCurves();
  drawLegends();
  drawPlots();
  setUpPictures();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    drawLegends();
    drawPlots();
  });
})();
