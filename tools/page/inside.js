"use strict";
/* "Look inside": the maps of each layer, and where a number in them comes from. */

const KINDS = { // the name of a kind of layer, and what it does
  Normalization: ["Standard\u00adise", "Each colour is shifted and scaled: over the training pictures its mean is 0 and its " +
    "standard deviation 1."],
  Conv2D: ["Convolution", "Each filter is laid over every place of the maps before it. The numbers of the patch below " +
    "it are multiplied by those of its kernel and added up. Each filter makes one map."],
  Dense: ["Dense", "Each number is a sum over all numbers before it, each times a weight: one set of weights a class."],
  BatchNormalization: ["Batch norm", "Each map is scaled and shifted, so that over the training pictures its numbers lie " +
    "around 0 and spread alike."],
  Rescaling: ["Rescale", "Each number is multiplied by the same factor."],
  Activation: ["Activation", "Each number goes through a curve: without one, many layers could do no more than a single " +
    "one."],
  ReLU: ["ReLU", "What is below 0 becomes 0."],
  MaxPooling2D: ["Max pooling", "Of the numbers in each small square only the largest stays. The maps get smaller, and it " +
    "matters less where exactly something is."],
  GlobalMaxPooling2D: ["Global max", "Of each map only its largest number stays: is this feature anywhere in the picture?"],
  GlobalAveragePooling2D: ["Global mean", "Of each map only its mean stays."],
  Flatten: ["Flatten", "All numbers of all maps in one list."],
  Dropout: ["Dropout", "It drops numbers in training. Here it changes nothing."],
};
const STRONGEST = 6; // maps that a sum is explained by

const inside = {
  network: null, // a Network, for its kernels
  blocks: null, // what each layer made of the picture, the picture itself first
  at: { layer: 0, channel: 0, y: 0, x: 0 }, // what is explained
  kept: null, // where it returns to when the mouse leaves

  start(network) {
    this.network = network;
    this.at.layer = Math.max(0, network.layers.findIndex(({ kind }) => kind === "Conv2D"));
    network.layers.forEach((layer, index) => element("layers").append(this.chip(layer, index)));
    steer(element("maps"), {
      point: (across, down, keep) => this.pointAtMaps(across, down, keep),
      leave: () => this.go(this.kept),
      arrow: (dx, dy) => this.keep({ channel: this.at.channel + dx + dy * this.grid().columns }),
    });
    steer(element("map"), {
      point: (across, down, keep) => this.pointAtMap(across, down, keep),
      leave: () => this.go(this.kept),
      arrow: (dx, dy) => this.keep({ y: this.at.y + dy, x: this.at.x + dx }),
    });
    new ResizeObserver(() => this.draw()).observe(element("maps").parentElement);
  },

  chip(layer, index) {
    const [height, width, channels] = layer.shape;
    const name = { Conv2D: `Conv ${layer.size?.join("×")}`, Activation: layer.activation }[layer.kind] ?? KINDS[layer.kind][0];
    const chip = make("label", { className: `chip ${layer.kind}` });
    const radio = make("input", { type: "radio", name: "layer", checked: index === this.at.layer });
    radio.addEventListener("change", () => this.choose(index));
    const shape = height * width === 1 ? `${channels}` : `${height}×${width}×${channels}`;
    chip.append(radio, make("canvas"), make("b", {}, name), make("span", {}, shape));
    return chip;
  },

  /* Show what the layers made of a picture. */
  update(pixels, blocks) {
    this.blocks = [{ values: pixels, shape: [SIDE, SIDE, 3] }, ...blocks];
    document.querySelectorAll("#layers canvas").forEach((canvas, index) => {
      const block = blocks[index], [height, width, channels] = block.shape;
      const square = Math.ceil(Math.sqrt(channels)); // of single numbers all are shown, side by side
      drawOn(canvas, height * width > 1 ? mapOf(block, liveliest(block)) : { values: block.values, shape: [square, square, 1] });
    });
    if (this.kept) this.draw();
    else this.choose(this.at.layer);
  },

  /* Explain a layer: of its liveliest map, the place in the middle. */
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
    const at = { ...this.at, ...change };
    const [height, width, channels] = this.network.layers[at.layer].shape;
    const within = (value, count) => Math.min(Math.max(value, 0), count - 1);
    this.at = { layer: at.layer, channel: within(at.channel, channels), y: within(at.y, height), x: within(at.x, width) };
    this.draw();
  },

  // ---- The maps of a layer ----

  /* How the maps of the chosen layer are laid out. */
  grid() {
    const channels = this.network.layers[this.at.layer].shape[2];
    const columns = Math.min(channels, Math.ceil(Math.sqrt(channels * 1.35)));
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
    }
  },

  pointAtMaps(across, down, keep) {
    const { columns, rows } = this.grid();
    const [height, width, channels] = this.network.layers[this.at.layer].shape;
    const [column, row] = [Math.floor(across * columns), Math.floor(down * rows)];
    if (row * columns + column >= channels) return;
    const place = { y: Math.floor((down * rows - row) * height), x: Math.floor((across * columns - column) * width) };
    this[keep ? "keep" : "go"]({ channel: row * columns + column, ...place });
  },

  pointAtMap(across, down, keep) {
    const [height, width] = this.network.layers[this.at.layer].shape;
    this[keep ? "keep" : "go"]({ y: Math.floor(down * height), x: Math.floor(across * width) });
  },

  // ---- One number, and where it comes from ----

  draw() {
    if (!this.blocks) return;
    const layer = this.network.layers[this.at.layer];
    const { channel, y, x } = this.at;
    const [input, output] = this.blocks.slice(this.at.layer, this.at.layer + 2);
    this.drawMaps(element("maps"), output);
    drawOn(element("map"), mapOf(output, channel), largest(output), { top: y, left: x, rows: 1, columns: 1 });
    const field = this.receptiveField(), { top, left, rows, columns } = field;
    drawOn(element("field"), asPicture(this.blocks[0].values), 1, field);
    element("field").setAttribute("aria-label", `rows ${top + 1} to ${top + rows}, columns ${left + 1} to ${left + columns}`);
    this.say(layer, output);
    this.explain(layer, input, mapOf(output, channel).values[y * output.shape[1] + x]);
  },

  /* The part of the picture that the chosen number depends on: back through all layers below it. */
  receptiveField() {
    let [top, left, bottom, right] = [this.at.y, this.at.x, this.at.y, this.at.x];
    for (let index = this.at.layer; index >= 0; index--) {
      const shape = this.blocks[index].shape;
      const first = Network.window(this.network.layers[index], shape, top, left);
      const last = Network.window(this.network.layers[index], shape, bottom, right);
      [top, left] = [Math.max(first.top, 0), Math.max(first.left, 0)];
      bottom = Math.min(last.top + last.rows, shape[0]) - 1;
      right = Math.min(last.left + last.columns, shape[1]) - 1;
    }
    return { top, left, rows: bottom - top + 1, columns: right - left + 1 };
  },

  say(layer, { shape: [height, width, channels] }) {
    const { channel, y, x } = this.at;
    const one = height * width === 1, last = one && channels === PAGE.classes.length;
    element("layer-name").textContent = `${KINDS[layer.kind][0]} · ${layer.name}`;
    element("layer-does").textContent = KINDS[layer.kind][1];
    element("map-name").textContent = last ? `Class ${PAGE.classes[channel]}` : `Map ${channel + 1} of ${channels}`;
    element("place").textContent = one ? "one number" : `row ${y + 1}, column ${x + 1} of ${height} × ${width}`;
    element("maps").setAttribute("aria-label", `The ${channels} maps of ${layer.name}. Arrow keys choose one.`);
    element("map").setAttribute("aria-label", `Map ${channel + 1}. Arrow keys choose a number in it.`);
  },

  /* Say how a value came about, and show the patch that it reads and, for a sum of products, the kernel. */
  explain(layer, input, value) {
    const { channel, y, x } = this.at;
    const window = Network.window(layer, input.shape, y, x);
    const parts = element("parts");
    parts.replaceChildren();
    if (layer.kernel) return this.explainSum(layer, input, value, window);
    const patch = patchOf(input, window, layer.kind === "Flatten" ? 0 : channel);
    const before = signed(patch.values[0]), after = signed(value), count = `${window.rows} × ${window.columns}`;
    element("sum").textContent = {
      Activation: `${layer.activation}(${before}) = ${after}`,
      ReLU: `the larger one of 0 and ${before} = ${after}`,
      MaxPooling2D: `The largest of ${count} numbers: ${after}`,
      GlobalMaxPooling2D: `The largest of ${count} numbers: ${after}`,
      GlobalAveragePooling2D: `The mean of ${count} numbers: ${after}`,
    }[layer.kind] ?? (layer.scale
      ? `${before} × ${signed(layer.scale[channel])} + (${signed(layer.shift[channel])}) = ${after}`
      : `The same number as before: ${after}`);
    if (layer.kind !== "Flatten") parts.append(this.part("it reads", patch, largest(input)));
  },

  explainSum(layer, input, value, window) {
    const channels = input.shape[2], length = window.rows * window.columns * channels;
    const kernel = layer.kernel.subarray(this.at.channel * length, (this.at.channel + 1) * length);
    const weights = { values: kernel, shape: [window.rows, window.columns, channels] };
    const sums = Array.from({ length: channels }, (_, c) => {
      const patch = patchOf(input, window, c);
      const weight = patchOf(weights, { ...window, top: 0, left: 0 }, c);
      return { c, patch, weight, sum: patch.values.reduce((sum, number, i) => sum + number * weight.values[i], 0) };
    });
    const bias = layer.bias ? `, and the bias ${signed(layer.bias[this.at.channel])}` : "";
    element("sum").textContent = `${length.toLocaleString("en")} products added up${bias}: ${signed(value)}`;
    sums.sort((a, b) => Math.abs(b.sum) - Math.abs(a.sum));
    const names = channels === 3 ? ["red", "green", "blue"] : [];
    for (const { c, patch, weight, sum } of sums.slice(0, STRONGEST)) {
      const part = this.part(names[c] ?? `map ${c + 1}`, patch, largest(input));
      part.append("×", drawOn(make("canvas"), weight, largest(weights)), make("b", {}, `= ${signed(sum)}`));
      element("parts").append(part);
    }
    const rest = sums.slice(STRONGEST).reduce((all, { sum }) => all + sum, 0);
    if (channels > STRONGEST) {
      element("parts").append(make("p", { className: "hint" }, `the other ${channels - STRONGEST} maps: ${signed(rest)}`));
    }
  },

  part(name, patch, most) {
    const part = make("div", { className: "part" });
    part.append(make("span", {}, name), drawOn(make("canvas"), patch, most));
    return part;
  },
};

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

/* A canvas with the maps of a block one below the other: blue above 0, orange below, the page's colour at 0. */
function coloured({ values, shape: [height, width, channels] }, most = largest({ values })) {
  const [zero, plus, minus] = ["--zero", "--plus-ink", "--minus-ink"].map(colour);
  const image = new ImageData(width, height * channels);
  for (let channel = 0, to = 0; channel < channels; channel++) {
    for (let place = 0; place < height * width; place++, to += 4) {
      const value = (values[place * channels + channel] ?? 0) / most;
      const share = Math.min(1, Math.sqrt(Math.abs(value))); // the root lets small numbers be seen
      const end = value > 0 ? plus : minus;
      for (let i = 0; i < 3; i++) image.data[to + i] = zero[i] + share * (end[i] - zero[i]);
      image.data[to + 3] = 255;
    }
  }
  return onCanvas(image);
}

/* Red, green and blue, 0 to 255, of a colour that style.css names. */
function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim().match(/\w\w/g).map((hex) => parseInt(hex, 16));
}

function asPicture(pixels) {
  const image = new ImageData(SIDE, SIDE);
  for (let i = 0; i < SIDE * SIDE; i++) image.data.set([pixels[3 * i], pixels[3 * i + 1], pixels[3 * i + 2], 255], 4 * i);
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
  const unit = Math.ceil(288 / Math.max(sheet.width, sheet.height)); // so that a frame is thinner than a number
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
