// The clip browser's controls: pickers, playing, keys.
"use strict";

const clips = all("script.clip-media");

function fillPlaces() {
  const { media } = state;
  const whole = make("optgroup", { label: "Whole picture, from the lossy video" }, new Option("every frame", "-1"));
  const options = media.crops.map(({ title, frame }, index) => new Option(`${title}, frame ${frame}`, `${index} ${frame}`));
  const lossy = (index) => !media.crops[index].lossless;
  const crops = make("optgroup", { label: "Lossless crops" }, ...options.filter((_, index) => !lossy(index)));
  const stills = make("optgroup", { label: "Worst frames, lossy" }, ...options.filter((_, index) => lossy(index)));
  find("#place").replaceChildren(whole, crops, ...(stills.children.length ? [stills] : []));
}

/** Show a worst place of a clip; both are named as in the table of worst places. */
function showPlace(clip, key) {
  const index = clips.findIndex(({ dataset }) => dataset.name === clip);
  chooseClip(index);
  const crop = state.media.crops.findIndex(({ keys }) => keys.includes(key));
  choosePlace(places().findIndex(({ value }) => value.split(" ")[0] === String(crop)));
  const view = state.media.views.findIndex((name) => key.endsWith(` of ${name}`));
  change({ left: 1, right: view < 0 ? state.right : view });
  find("#browser").scrollIntoView();
  find("#stage").focus();
}

function fillViews() {
  const { media } = state;
  const at = (name, otherwise) => (media.views.includes(name) ? media.views.indexOf(name) : otherwise);
  const ships = data.selection?.choices.find(({ suite }) => suite === media.suite)?.chosen;
  state.left = at(data.baseline, 2);
  state.right = at(ships, media.views.findIndex((name, view) => view >= 2 && name !== data.baseline));
  if (state.right < 0) state.right = 1;
  for (const side of ["left", "right"]) {
    find(`#${side}-name`).replaceChildren(...media.views.map((name, view) => new Option(name, view)));
  }
}

function showLoupe() {
  const { media } = state;
  find("#loupe").replaceChildren(...media.views.map((name, view) => {
    const canvas = make("canvas");
    canvas.dataset.view = view;
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `${name}, zoomed as the others`);
    return make("figure", {}, canvas, make("figcaption", { textContent: name }));
  }));
  find("#slice-list").replaceChildren(...media.slices.map((_, index) => {
    const canvas = make("canvas");
    canvas.dataset.slice = index;
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `Time slice of ${media.views[index + 1]}`);
    const strip = make("div", { className: "strip", tabIndex: 0 }, canvas);
    return make("figure", { className: "slice" }, make("figcaption", { textContent: media.views[index + 1] }), strip);
  }));
}

function chooseClip(index) {
  const place = (index + clips.length) % clips.length;
  const media = JSON.parse(clips[place].textContent);
  loaded.clear();
  const row = Math.floor(media.rows.length / 2);
  Object.assign(state, { media, crop: -1, frame: media.first, zoom: 1, x: 0.5, y: 0.5, row });
  find("#clip").value = place;
  URL.revokeObjectURL(video.src);
  const bytes = Uint8Array.from(atob(media.video.split(",")[1]), (letter) => letter.charCodeAt(0));
  video.src = URL.createObjectURL(new Blob([bytes], { type: "video/mp4" })); // a data: URI cannot be sought everywhere
  find("#scrubber").min = media.first;
  find("#scrubber").max = media.first + media.count - 1;
  find("#row").max = media.rows.length - 1;
  fillPlaces();
  fillViews();
  showLoupe();
  update();
}

const places = () => [...find("#place").options];
const chosenPlace = () => places().indexOf(find("#place").selectedOptions[0]);

/** Show a place: a crop, or the whole picture at a frame. */
function choosePlace(index) {
  const options = places();
  const option = options[(index + options.length) % options.length];
  option.selected = true;
  const [crop, frame] = option.value.split(" ").map(Number);
  Object.assign(state, { crop, zoom: 1, x: 0.5, y: 0.5 });
  goTo(frame ?? state.frame);
}

function goTo(frame) {
  const { media, crop } = state;
  const last = media.first + media.count - 1;
  state.frame = crop >= 0 ? media.crops[crop].frame : clamp(frame, media.first, last);
  video.pause();
  video.currentTime = (clamp(state.frame, media.first, last) - media.first + 0.5) / media.rate;
  update();
}

function step(by) {
  if (state.crop >= 0) choosePlace(0); // a crop is one frame
  goTo(state.frame + by);
}

function play() {
  if (state.crop >= 0) choosePlace(0);
  if (video.paused) video.play();
  else goTo(state.frame);
  update();
}

function whilePlaying() {
  if (!video.paused) {
    const { media } = state;
    state.frame = media.first + Math.min(media.count - 1, Math.floor(video.currentTime * media.rate));
    update();
  }
  requestAnimationFrame(whilePlaying);
}

/** Make the stage as large as there is room, with whole screen pixels for each pixel where it is enlarged. */
function sizeStage() {
  const { media, crop } = state;
  const area = crop < 0 ? { width: media.tile[0], height: media.tile[1] } : media.crops[crop];
  const room = find(".viewer").clientWidth - 40;
  const fit = Math.min(room / area.width, 600 / area.height);
  const scale = fit >= 1 ? Math.floor(fit) : fit;
  const canvas = find("#stage");
  const [width, height] = [Math.round(area.width * scale), Math.round(area.height * scale)];
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
}

function caption() {
  const { media, crop, frame, left, right, mode, flipped, zoom, row } = state;
  const [a, b] = [media.views[left], media.views[right]];
  const last = media.first + media.count - 1;
  const what = {
    wipe: `${a} left, ${b} right`, flip: `${flipped ? b : a} (flip to ${flipped ? a : b})`,
    difference: `difference of ${a} and ${b}, ${GAIN} times`,
    error: `error of ${b}, mean of these frames; white is ${number(mapEnd("error"), 1)} levels`,
    flicker: `flicker of ${b}, mean of these frames; white is ${number(mapEnd("flicker"), 1)} levels`,
  }[mode];
  const reduced = media.tile[0] < media.width - 1 ? `, reduced to ${media.tile.join("×")}` : "";
  const lossy = crop < 0 ? `lossy video${reduced}` : media.crops[crop].lossless ? "lossless crop" : "lossy picture";
  const missing = crop < 0 ? [] : [...new Set([left, right])].filter((view) => !media.crops[crop].images[view]);
  const without = missing.length ? ` Not saved here: ${missing.map((view) => media.views[view]).join(", ")}.` : "";
  const of = frame < media.first || frame > last ? `, outside the video (${media.first}–${last})` : ` of ${media.first}–${last}`;
  find("#stage-caption").textContent = `${what}. Frame ${frame}${of}, ${lossy}, zoom ${zoom}×.${without}`;
  find("#stage").setAttribute("aria-label", `${what}, frame ${frame}`);
  find("#row-caption").textContent = `row ${media.rows[row]}`;
  const loupe = media.crops[loupeCrop()];
  find("#loupe-caption").textContent = `${loupe.title}, frame ${loupe.frame}, lossless, zoom ${zoom}×.`;
}

function update() {
  sizeStage();
  find("#left-name").value = state.left;
  find("#right-name").value = state.right;
  find("#scrubber").value = state.frame;
  find("#wipe").value = 100 * state.wipe;
  find("#zoom").value = state.zoom;
  find("#row").value = state.row;
  find("#play").textContent = video.paused ? "Play" : "Pause";
  find(`[name=mode][value=${state.mode}]`).checked = true;
  caption();
  drawAll();
}

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
const change = (values) => { Object.assign(state, values); update(); };
const turn = (side) => change({ [side]: (state[side] + 1) % state.media.views.length });
const zoomBy = (by) => change({ zoom: clamp(state.zoom + by, 1, 8) });
const move = (x, y) => change({ x: clamp(state.x + x / state.zoom, 0, 1), y: clamp(state.y + y / state.zoom, 0, 1) });
const rowBy = (by) => change({ row: clamp(state.row + by, 0, state.media.rows.length - 1) });
const wipeBy = (by) => change({ mode: "wipe", wipe: clamp(state.wipe + by, 0, 1) });

const KEYS = [
  ["?", "this list", () => find("#keys").showModal()],
  [" ", "play or pause", play],
  ["ArrowLeft", "previous frame", () => step(-1)],
  ["ArrowRight", "next frame", () => step(1)],
  ["Home", "first frame", () => step(-Infinity)],
  ["End", "last frame", () => step(Infinity)],
  ["w", "wipe", () => change({ mode: "wipe" })],
  ["[", "wipe to the left", () => wipeBy(-0.05)],
  ["]", "wipe to the right", () => wipeBy(0.05)],
  ["f", "flip", () => change({ mode: "flip", flipped: state.mode === "flip" && !state.flipped })],
  ["d", "difference", () => change({ mode: "difference" })],
  ["e", "map of the error", () => change({ mode: "error" })],
  ["k", "map of the flicker", () => change({ mode: "flicker" })],
  ["a", "next view on the left", () => turn("left")],
  ["b", "next view on the right", () => turn("right")],
  ["s", "swap left and right", () => change({ left: state.right, right: state.left })],
  ["p", "next place: worst frames, lossless crops", () => choosePlace(chosenPlace() + 1)],
  ["P", "previous place", () => choosePlace(chosenPlace() - 1)],
  ["c", "next clip", () => chooseClip(Number(find("#clip").value) + 1)],
  ["C", "previous clip", () => chooseClip(Number(find("#clip").value) - 1)],
  ["+", "zoom in", () => zoomBy(1)],
  ["-", "zoom out", () => zoomBy(-1)],
  ["h", "move left", () => move(-0.1, 0)],
  ["l", "move right", () => move(0.1, 0)],
  ["j", "move down", () => move(0, 0.1)],
  ["i", "move up", () => move(0, -0.1)],
  ["r", "next row of the time slices", () => rowBy(1)],
  ["R", "previous row", () => rowBy(-1)],
];
const NAMED = { " ": "Space", ArrowLeft: "←", ArrowRight: "→" };

function bindKeys() {
  find("#keys dl").append(...KEYS.map(([key, what]) => {
    const shown = make("kbd", { textContent: NAMED[key] ?? key });
    return make("div", {}, make("dt", {}, shown), make("dd", { textContent: what }));
  }));
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, select, textarea, button, a, summary, dialog");
    if (event.ctrlKey || event.altKey || event.metaKey || (typing && event.key !== "?")) return;
    if (event.key !== "?" && !find("#browser").contains(event.target)) return; // letters alone act only in here
    const found = KEYS.find(([key]) => key === event.key);
    if (!found || find("#keys").open) return;
    event.preventDefault();
    found[2]();
  });
}

/** Dragging: in a wipe of the whole picture it moves the divider, else the zoomed part. */
function bindPointer() {
  const drag = (event) => {
    const canvas = event.currentTarget;
    if (!canvas.hasPointerCapture(event.pointerId)) return;
    const box = canvas.getBoundingClientRect();
    if (canvas.id === "stage" && state.mode === "wipe" && !event.shiftKey) {
      change({ wipe: clamp((event.clientX - box.left) / box.width, 0, 1) });
    } else move(-event.movementX / box.width, -event.movementY / box.height);
  };
  const grab = (canvas) => {
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      drag(event);
    });
    canvas.addEventListener("pointermove", drag);
  };
  grab(find("#stage"));
  new MutationObserver(() => all("#loupe canvas").forEach(grab)).observe(find("#loupe"), { childList: true });
}

function setUpBrowser() {
  if (clips.length === 0) {
    say(find("#browser"), "No frames were saved, or none fit into this page: evaluate with save_frames=32.");
    return;
  }
  clips.forEach((script, index) => find("#clip").append(new Option(script.dataset.name, index)));
  find("#clip").addEventListener("change", (event) => chooseClip(Number(event.target.value)));
  find("#place").addEventListener("change", () => choosePlace(chosenPlace()));
  for (const side of ["left", "right"]) {
    find(`#${side}-name`).addEventListener("change", (event) => change({ [side]: Number(event.target.value) }));
  }
  all("[data-place]").forEach((link) => link.addEventListener("click", (event) => {
    event.preventDefault();
    showPlace(link.dataset.clip, link.dataset.place);
  }));
  all("[name=mode]").forEach((radio) => radio.addEventListener("change", () => change({ mode: radio.value })));
  find("#play").addEventListener("click", play);
  find("#scrubber").addEventListener("input", (event) => {
    if (state.crop >= 0) choosePlace(0);
    goTo(Number(event.target.value));
  });
  find("#wipe").addEventListener("input", (event) => change({ mode: "wipe", wipe: event.target.value / 100 }));
  find("#zoom").addEventListener("input", (event) => change({ zoom: Number(event.target.value) }));
  find("#row").addEventListener("input", (event) => change({ row: Number(event.target.value) }));
  find("#show-keys").addEventListener("click", () => find("#keys").showModal());
  for (const event of ["seeked", "loadeddata"]) video.addEventListener(event, drawAll);
  new ResizeObserver(update).observe(find(".viewer"));
  bindKeys();
  bindPointer();
  chooseClip(0);
  goTo(state.frame);
  whilePlaying();
}

setUpBrowser();
