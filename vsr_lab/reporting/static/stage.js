// The clip browser's state and what it draws: two views wiped, flipped or subtracted, maps, crops and time slices.
"use strict";

const GAIN = 8; // of the difference
const LOUPE = 320; // pixels on a side, at most where that is a whole zoom
const SLICE = 3; // rows for each frame of a time slice, at least

const state = {
  media: null, // of the chosen clip
  crop: -1, // number of a lossless crop; -1: the whole picture, from the video
  frame: 0, // number of the frame in the clip
  left: 0, right: 1, // views
  mode: "wipe", flipped: false, wipe: 0.5,
  zoom: 1, x: 0.5, y: 0.5, // of the shown part of the picture
  row: 0, // of the time slices
};
const video = make("video", { muted: true, loop: true, playsInline: true, preload: "auto" });
const loaded = new Map(); // URI -> image

function picture(uri) {
  if (!loaded.has(uri)) {
    const image = new Image();
    image.addEventListener("load", drawAll);
    image.src = uri;
    loaded.set(uri, image);
  }
  return loaded.get(uri);
}

/** Where a view is: the image or video that holds it, and its rectangle there. */
function source(view, crop) {
  const { media } = state;
  if (crop >= 0) {
    const uri = media.crops[crop].images[view];
    if (!uri) return { ready: false };
    const image = picture(uri);
    const { naturalWidth: width, naturalHeight: height } = image;
    return { image, ready: image.complete && width > 0, x: 0, y: 0, width, height };
  }
  const [width, height] = media.tile;
  const [column, row] = [view % media.columns, Math.floor(view / media.columns)];
  return { image: video, ready: video.readyState >= 2, x: column * width, y: row * height, width, height };
}

/** The shown part of a picture as fractions of it. */
function part() {
  const size = 1 / state.zoom;
  const inside = (centre) => Math.min(Math.max(centre - size / 2, 0), 1 - size);
  return { x: inside(state.x), y: inside(state.y), size };
}

/** Draw the columns of a view between two fractions of the canvas. */
function drawView(canvas, view, { from = 0, to = 1, crop = state.crop } = {}) {
  const { image, ready, x, y, width, height } = source(view, crop);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!ready) {
    context.clearRect(from * canvas.width, 0, (to - from) * canvas.width, canvas.height);
    return;
  }
  const shown = part();
  const [left, wide] = [x + (shown.x + from * shown.size) * width, (to - from) * shown.size * width];
  context.imageSmoothingEnabled = false;
  context.drawImage(image, left, y + shown.y * height, wide, shown.size * height,
    from * canvas.width, 0, (to - from) * canvas.width, canvas.height);
}

const scratch = make("canvas");

function pixels(view, canvas) {
  Object.assign(scratch, { width: canvas.width, height: canvas.height });
  drawView(scratch, view);
  return scratch.getContext("2d", { willReadFrequently: true }).getImageData(0, 0, canvas.width, canvas.height);
}

/** From black over red and yellow to white; value in [0, 1]. */
const heat = (value) => [3 * value, 3 * value - 1, 3 * value - 2].map((part) => Math.min(Math.max(part, 0), 1) * 255);

function drawDifference(canvas) {
  const [a, b] = [pixels(state.left, canvas), pixels(state.right, canvas)];
  for (let i = 0; i < a.data.length; i += 4) {
    const gap = Math.max(...[0, 1, 2].map((c) => Math.abs(a.data[i + c] - b.data[i + c])));
    [a.data[i], a.data[i + 1], a.data[i + 2]] = heat(Math.min(1, (GAIN * gap) / 255));
  }
  canvas.getContext("2d").putImageData(a, 0, 0);
}

/** The end of a map's colours: the largest value of any candidate. */
const mapEnd = (kind) => Math.max(...state.media.maps[kind].flat(2), 1e-6);

function drawMap(canvas, kind) {
  const { media, right, crop } = state;
  drawView(canvas, right);
  const map = media.maps[kind][right - 2]; // low resolution and ground truth have none
  if (!map) return;
  const context = canvas.getContext("2d");
  const shown = part();
  const area = crop < 0 ? { x: 0, y: 0, width: media.width, height: media.height } : media.crops[crop];
  const scale = canvas.width / (shown.size * area.width);
  const [left, top] = [area.x + shown.x * area.width, area.y + shown.y * area.height];
  const end = mapEnd(kind);
  map.forEach((row, i) => row.forEach((value, j) => {
    context.fillStyle = `rgb(${heat(value / end).join(" ")} / 70%)`;
    const side = media.tile_size * scale;
    context.fillRect((j * media.tile_size - left) * scale, (i * media.tile_size - top) * scale, side, side);
  }));
}

function drawStage() {
  const canvas = find("#stage");
  const { left, right, mode, flipped, wipe } = state;
  if (mode === "difference") drawDifference(canvas);
  else if (mode === "error" || mode === "flicker") drawMap(canvas, mode);
  else if (mode === "flip") drawView(canvas, flipped ? right : left);
  else {
    drawView(canvas, left, { to: wipe });
    drawView(canvas, right, { from: wipe });
    const context = canvas.getContext("2d");
    context.fillStyle = "#fff";
    context.fillRect(wipe * canvas.width - 1, 0, 2, canvas.height);
  }
}

/** The crop of the loupe, which is lossless beside the video and a whole frame too. */
const loupeCrop = () => {
  const { media, crop } = state;
  if (crop < 0 || media.crops[crop].lossless) return Math.max(crop, 0);
  return media.crops.findIndex(({ lossless, frame }) => lossless && frame === media.crops[crop].frame);
};

function drawLoupe() {
  const { width } = state.media.crops[loupeCrop()];
  const size = width * Math.max(1, Math.floor(LOUPE / width)); // whole pixels
  for (const canvas of all("#loupe canvas")) {
    if (canvas.width !== size) Object.assign(canvas, { width: size, height: size });
    drawView(canvas, Number(canvas.dataset.view), { crop: loupeCrop() });
  }
}

function drawSlices() {
  const { media, row } = state;
  for (const canvas of all("#slice-list canvas")) {
    const image = picture(media.slices[canvas.dataset.slice]);
    if (!image.complete || !image.naturalWidth) continue;
    const room = canvas.parentElement.clientWidth;
    const zoom = Math.max(1, Math.floor(room / media.width)); // whole pixels: others would look like flicker
    Object.assign(canvas, { width: zoom * media.width, height: Math.max(SLICE, zoom) * media.count });
    const context = canvas.getContext("2d");
    context.imageSmoothingEnabled = false;
    context.drawImage(image, 0, row * media.count, media.width, media.count, 0, 0, canvas.width, canvas.height);
  }
}

function drawAll() {
  drawStage();
  drawLoupe();
  drawSlices();
}
