// Quality against flicker, and values frame by frame.
"use strict";

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
    : { type: "data", symmetric: false, array: [high - mean], arrayminus: [mean - low], color,
      thickness: 1.2, width: 3 };

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

setUpTradeoff();
setUpCurves();
drawLegends();
drawPlots();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  drawLegends();
  drawPlots();
});
