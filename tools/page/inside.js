"use strict";
/* "Look inside": the maps of each layer, and where a number in them comes from. */

const KINDS = { // what a kind of layer is called, and what it does
  Normalization: ["Standard\u00adise",
    "Each colour is shifted and scaled: over the training pictures its mean is 0, its standard deviation 1."],
  Conv2D: ["Convolution",
    "Each filter is laid over every place of the maps before it. The numbers of the patch below it are " +
    "multiplied by those of its kernel and added up. So each filter makes one map."],
  Dense: ["Dense", "For each class a sum over all numbers before it, each times a weight."],
  BatchNormalization: ["Batch norm",
    "Each map is scaled and shifted, so that over many pictures its numbers spread as those of the others."],
  Rescaling: ["Rescale", "Each number is multiplied by the same factor."],
  Activation: ["Activation",
    "Each number goes through a curve. Without it, many layers could do no more than one."],
  ReLU: ["ReLU", "What is below 0 becomes 0."],
  MaxPooling2D: ["Max pooling",
    "Of the numbers in each small square the largest stays: it matters less where exactly something is."],
  GlobalMaxPooling2D: ["Global max", "Of each map the largest number stays: is it anywhere in the picture?"],
  GlobalAveragePooling2D: ["Global mean", "Of each map its mean stays."],
  Flatten: ["Flatten", "All numbers of all maps in one list."],
  Dropout: ["Dropout", "It leaves out numbers in training. Here it changes nothing."],
};
const STRONGEST = 6; // maps by which a sum is explained

const inside = {
  network: null, // a Network, for its kernels
  blocks: null, // the picture, and what each layer made of it
  at: { layer: 0, channel: 0, y: 0, x: 0 }, // the number that is explained
  kept: null, // the one to return to when the mouse leaves

  start(network) {
    this.network = network;
    this.at.layer = Math.max(0, network.layers.findIndex(({ kind }) => kind === "Conv2D"));
    network.layers.forEach((layer, index) => element("layers").append(this.chip(layer, index)));
    const leave = () => this.go(this.kept);
    const arrowInMaps = (dx, dy) => this.keep({ channel: this.at.channel + dx + dy * this.grid().columns });
    const arrowInMap = (dx, dy) => this.keep({ y: this.at.y + dy, x: this.at.x + dx });
    steer(element("maps"), { point: this.pointAtMaps.bind(this), leave, arrow: arrowInMaps });
    steer(element("map"), { point: this.pointAtMap.bind(this), leave, arrow: arrowInMap });
    new ResizeObserver(() => this.draw()).observe(element("maps").parentElement);
  },

  /* The button of a layer: one of its maps, its name and its shape. */
  chip(layer, index) {
    const names = { Conv2D: `Conv ${layer.size.join("×")}`, Activation: layer.activation };
    const [height, width, channels] = layer.shape;
    const chip = make("label", { className: `chip ${layer.kind}` });
    const radio = make("input", { type: "radio", name: "layer", checked: index === this.at.layer });
    radio.addEventListener("change", () => this.choose(index));
    chip.append(radio, make("canvas"), make("b", {}, names[layer.kind] ?? KINDS[layer.kind][0]),
      make("span", {}, height * width === 1 ? `${channels}` : `${height}×${width}×${channels}`));
    return chip;
  },

  /* Show what the layers made of a picture. */
  update(pixels, blocks) {
    this.blocks = [{ values: pixels, shape: [SIDE, SIDE, 3] }, ...blocks];
    if (!this.kept) this.choose(this.at.layer);
    this.repaint();
  },

  repaint() {
    if (!this.blocks) return;
    document.querySelectorAll("#layers canvas").forEach((canvas, index) => {
      const block = this.blocks[index + 1];
      const [height, width, channels] = block.shape, side = Math.ceil(Math.sqrt(channels));
      const square = { values: block.values, shape: [side, side, 1] }; // single numbers are shown all
      drawOn(canvas, height * width > 1 ? mapOf(block, liveliest(block)) : square);
    });
    this.draw();
  },

  /* Explain a layer: the middle of its liveliest map. */
  choose(layer) {
    const block = this.blocks[layer + 1];
    this.keep({ layer, channel: liveliest(block), y: block.shape[0] >> 1, x: block.shape[1] >> 1 });
  },

  keep(change) {
    this.go(change);
    this.kept = { ...this.at };
  },

  /* Explain another number: of the given layer, channel and place, as far as these exist. */
  go(change) {
    const { layer, channel, y, x } = { ...this.at, ...change };
    const [height, width, channels] = this.network.layers[layer].shape;
    const within = (value, count) => Math.min(Math.max(value, 0), count - 1);
    this.at = { layer, channel: within(channel, channels), y: within(y, height), x: within(x, width) };
    this.draw();
  },

  draw() {
    if (!this.blocks) return;
    const layer = this.network.layers[this.at.layer], { channel, y, x } = this.at;
    const [input, output] = this.blocks.slice(this.at.layer, this.at.layer + 2);
    const map = mapOf(output, channel), field = this.receptiveField();
    this.drawMaps(element("maps"), output);
    drawOn(element("map"), map, largest(output), { top: y, left: x, rows: 1, columns: 1 });
    drawOn(element("field"), asPicture(this.blocks[0].values), 1, field);
    this.say(layer, output, field);
    this.explain(layer, input, map.values[y * output.shape[1] + x]);
  },

  // ---- The maps of a layer ----

  /* How the maps are laid out: near to a square, and in full rows if that is possible. */
  grid() {
    const channels = this.network.layers[this.at.layer].shape[2], root = Math.ceil(Math.sqrt(channels));
    let columns = root;
    while (channels % columns) columns++;
    if (columns > 2 * root) columns = root;
    return { columns, rows: Math.ceil(channels / columns) };
  },

  drawMaps(canvas, block) {
    const [height, width, channels] = block.shape, { columns, rows } = this.grid();
    canvas.width = Math.round(canvas.clientWidth * devicePixelRatio);
    const tile = canvas.width / columns, gap = Math.max(1, Math.round(tile / 16));
    canvas.height = Math.round(tile * rows);
    const brush = canvas.getContext("2d"), sheet = coloured(block);
    brush.imageSmoothingEnabled = false;
    for (let channel = 0; channel < channels; channel++) {
      const x = (channel % columns) * tile, y = Math.floor(channel / columns) * tile;
      brush.drawImage(sheet, 0, channel * height, width, height, x, y, tile - gap, tile - gap);
      if (channel === this.at.channel) frame(brush, x, y, tile - gap, tile - gap);
      if (this.areClasses(block)) write(brush, PAGE.classes[channel], x + tile / 12, y + tile / 5);
    }
  },

  /* Whether the channels of a block are the ten classes. */
  areClasses({ shape: [height, width, channels] }) {
    return height * width === 1 && channels === PAGE.classes.length;
  },

  pointAtMaps(across, down, keep) {
    const [height, width, channels] = this.network.layers[this.at.layer].shape;
    const { columns, rows } = this.grid();
    const [column, row] = [Math.floor(across * columns), Math.floor(down * rows)];
    const y = Math.floor((down * rows - row) * height), x = Math.floor((across * columns - column) * width);
    const channel = row * columns + column;
    if (channel < channels) this[keep ? "keep" : "go"]({ channel, y, x });
  },

  pointAtMap(across, down, keep) {
    const [height, width] = this.network.layers[this.at.layer].shape;
    this[keep ? "keep" : "go"]({ y: Math.floor(down * height), x: Math.floor(across * width) });
  },

  // ---- One number, and where it comes from ----

  /* The part of the picture that the number depends on: back through the windows of all layers below it. */
  receptiveField() {
    let [top, left, bottom, right] = [this.at.y, this.at.x, this.at.y, this.at.x];
    for (let index = this.at.layer; index >= 0; index--) {
      const layer = this.network.layers[index], shape = this.blocks[index].shape;
      const first = Network.window(layer, shape, top, left);
      const last = Network.window(layer, shape, bottom, right);
      [top, left] = [Math.max(first.top, 0), Math.max(first.left, 0)];
      bottom = Math.min(last.top + last.rows, shape[0]) - 1;
      right = Math.min(last.left + last.columns, shape[1]) - 1;
    }
    return { top, left, rows: bottom - top + 1, columns: right - left + 1 };
  },

  say(layer, output, { rows, columns }) {
    const { channel, y, x } = this.at, [height, width, channels] = output.shape;
    const map = `Map ${channel + 1} of ${channels}`;
    const name = this.areClasses(output) ? `Class ${PAGE.classes[channel]}` : map;
    element("layer-name").textContent = `${KINDS[layer.kind][0].replace("\u00ad", "")} · ${layer.name}`;
    element("layer-does").textContent = KINDS[layer.kind][1];
    element("map-name").textContent = name;
    element("place").textContent = `row ${y + 1}, column ${x + 1} of ${height} × ${width}`;
    element("sees").textContent = `can see ${rows} × ${columns} pixels`;
    element("maps").setAttribute("aria-label", `${channels} maps of ${layer.name}. Arrow keys choose one.`);
    element("map").setAttribute("aria-label", `${name}. Arrow keys choose a number in it.`);
  },

  /* Say how a value came about, and show what it was made of. */
  explain(layer, input, value) {
    const { channel, y, x } = this.at, window = Network.window(layer, input.shape, y, x);
    element("parts").replaceChildren();
    if (layer.kernel) {
      this.explainSum(layer, input, value, window);
      return;
    }
    const patch = patchOf(input, window, layer.kind === "Flatten" ? 0 : channel);
    const before = signed(patch.values[0]), count = `${window.rows} × ${window.columns} numbers`;
    const [scale, shift] = [layer.scale, layer.shift].map((list) => list && signed(list[channel]));
    element("sum").textContent = {
      Activation: `${layer.activation}(${before})`,
      ReLU: `the larger one of 0 and ${before}`,
      MaxPooling2D: `the largest of ${count}`,
      GlobalMaxPooling2D: `the largest of ${count}`,
      GlobalAveragePooling2D: `the mean of ${count}`,
    }[layer.kind] ?? (scale ? `${before} × ${scale} + (${shift})` : "the same number as before");
    element("sum").append(` = ${signed(value)}`);
    if (layer.kind !== "Flatten") element("parts").append(part("it reads", patch, largest(input)));
  },

  /* A sum of products: of each map the patch times the kernel, those first that count most. */
  explainSum(layer, input, value, window) {
    const channels = input.shape[2], length = window.rows * window.columns * channels;
    const kernel = layer.kernel.subarray(this.at.channel * length, (this.at.channel + 1) * length);
    const weights = { values: kernel, shape: [window.rows, window.columns, channels] };
    const sums = Array.from({ length: channels }, (_, c) => {
      const patch = patchOf(input, window, c), weight = mapOf(weights, c);
      const sum = patch.values.reduce((before, number, i) => before + number * weight.values[i], 0);
      return { c, patch, weight, sum };
    });
    sums.sort((a, b) => Math.abs(b.sum) - Math.abs(a.sum));
    const bias = layer.bias ? `, and the bias ${signed(layer.bias[this.at.channel])},` : "";
    element("sum").textContent = `${length.toLocaleString("en")} products${bias} added up = ${signed(value)}`;
    const names = channels === 3 ? ["red", "green", "blue"] : [];
    for (const { c, patch, weight, sum } of sums.slice(0, STRONGEST)) {
      const row = part(names[c] ?? `map ${c + 1}`, patch, largest(input));
      row.append("×", drawOn(make("canvas"), weight, largest(weights)), make("b", {}, `= ${signed(sum)}`));
      element("parts").append(row);
    }
    const others = sums.slice(STRONGEST);
    if (!others.length) return;
    const rest = signed(others.reduce((all, { sum }) => all + sum, 0));
    element("parts").append(make("p", { className: "hint" }, `the other ${others.length} maps: ${rest}`));
  },
};

function part(name, patch, most) {
  const row = make("div", { className: "part" });
  row.append(make("span", {}, name), drawOn(make("canvas"), patch, most));
  return row;
}

// ---- Blocks of numbers ----

/* The numbers of one channel in a window of a block; 0 where it lies outside. */
function patchOf({ values, shape: [height, width, channels] }, { top, left, rows, columns }, channel) {
  const patch = [];
  for (let y = top; y < top + rows; y++) {
    for (let x = left; x < left + columns; x++) {
      const within = y >= 0 && y < height && x >= 0 && x < width;
      patch.push(within ? values[(y * width + x) * channels + channel] : 0);
    }
  }
  return { values: patch, shape: [rows, columns, 1] };
}

function mapOf(block, channel) {
  return patchOf(block, { top: 0, left: 0, rows: block.shape[0], columns: block.shape[1] }, channel);
}

/* The channel of a block whose numbers differ most from each other; of single numbers the largest. */
function liveliest({ values, shape: [height, width, channels] }) {
  if (height * width === 1) return values.indexOf(Math.max(...values));
  const sums = new Float64Array(channels), squares = new Float64Array(channels);
  values.forEach((value, i) => {
    sums[i % channels] += value;
    squares[i % channels] += value * value;
  });
  const spreads = squares.map((square, c) => square - (sums[c] * sums[c]) / (height * width));
  return spreads.indexOf(Math.max(...spreads));
}

function largest({ values }) {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-9);
}

function signed(value) {
  return value.toFixed(Math.abs(value) < 100 ? 2 : 0).replace("-", "−");
}

// ---- Drawing them ----

/* A canvas with the maps of a block one below the other: blue above 0, orange below, pale at 0. */
function coloured({ values, shape: [height, width, channels] }, most = largest({ values })) {
  const [zero, plus, minus] = ["--zero", "--plus", "--minus"].map(colour);
  const image = new ImageData(width, height * channels), places = height * width;
  for (let to = 0; to < places * channels; to++) {
    const value = (values[(to % places) * channels + Math.floor(to / places)] ?? 0) / most;
    const share = Math.min(1, Math.sqrt(Math.abs(value))); // the root lets small numbers be seen
    const end = value > 0 ? plus : minus;
    for (let i = 0; i < 3; i++) image.data[4 * to + i] = zero[i] + share * (end[i] - zero[i]);
    image.data[4 * to + 3] = 255;
  }
  return onCanvas(image);
}

/* Red, green and blue, 0 to 255, of a colour that style.css names. */
function colour(name) {
  const value = getComputedStyle(document.documentElement).getPropertyValue(name);
  return value.match(/\w\w/g).map((digits) => parseInt(digits, 16));
}

function asPicture(pixels) {
  const image = new ImageData(SIDE, SIDE);
  for (let i = 0; i < SIDE * SIDE; i++) image.data.set([...pixels.subarray(3 * i, 3 * i + 3), 255], 4 * i);
  return onCanvas(image);
}

function onCanvas(image) {
  const canvas = make("canvas", { width: image.width, height: image.height });
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

/* Draw one map, a patch or a picture as large as its canvas, with a frame around a window of it. */
function drawOn(canvas, block, most, marked) {
  const sheet = block.values ? coloured(block, most) : block;
  const unit = Math.ceil(288 / Math.max(sheet.width, sheet.height)); // a frame is thinner than a number
  [canvas.width, canvas.height] = [unit * sheet.width, unit * sheet.height];
  const brush = canvas.getContext("2d");
  brush.imageSmoothingEnabled = false;
  brush.drawImage(sheet, 0, 0, canvas.width, canvas.height);
  if (marked) frame(brush, marked.left * unit, marked.top * unit, marked.columns * unit, marked.rows * unit);
  return canvas;
}

/* A frame that is seen on any ground: dark with a light edge. */
function frame(brush, x, y, width, height) {
  for (const [style, line] of [["white", 4], ["black", 2]]) {
    [brush.strokeStyle, brush.lineWidth] = [style, line];
    brush.strokeRect(x + 2, y + 2, Math.max(1, width - 4), Math.max(1, height - 4));
  }
}

/* A word that can be read on any ground. */
function write(brush, word, x, y) {
  [brush.font, brush.lineWidth, brush.lineJoin] = [`600 ${14 * devicePixelRatio}px sans-serif`, 4, "round"];
  [brush.strokeStyle, brush.fillStyle] = [`rgb(${colour("--paper")})`, `rgb(${colour("--ink")})`];
  brush.strokeText(word, x, y);
  brush.fillText(word, x, y);
}
