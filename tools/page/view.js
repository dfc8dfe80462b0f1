"use strict";
/* The page: where pictures come from, the ten bars, the grey square; "Look inside" is in inside.js. */

const GREY = [125, 123, 114]; // what hides a part: the mean colour of the training pictures
const STEP = 10; // how far an arrow key moves the brush, in pixels of the drawing

const state = {
  name: "", // of the picture
  pixels: null, // what the network gets of it
  cover: null, // where the grey square is: { top, left }
  before: null, // the probabilities without it
  opened: 0, // how many files were opened: what is read last may have been asked for first
  saying: 0, // the timer of what is said
};

function element(id) {
  return document.getElementById(id);
}

function make(tag, properties = {}, text = "") {
  const made = Object.assign(document.createElement(tag), properties);
  if (text) made.textContent = text;
  return made;
}

function percent(share) {
  return `${(100 * share).toFixed(1)}%`;
}

/* Let mouse, finger and keys move something on a canvas: `point` gets how far across and down, 0 to below 1,
   and whether a button is down; `arrow` the step; `key` any other key, and returns if it meant something. */
function steer(canvas, { point, leave = () => {}, arrow, key = () => false }) {
  const at = (event, down) => {
    const box = canvas.getBoundingClientRect();
    const share = (part, whole) => Math.min(Math.max(part / whole, 0), 0.9999);
    point(share(event.clientX - box.left, box.width), share(event.clientY - box.top, box.height), down);
  };
  canvas.addEventListener("pointerdown", (event) => at(event, true));
  canvas.addEventListener("pointermove", (event) => at(event, event.buttons > 0));
  canvas.addEventListener("pointerup", (event) => at(event, false));
  canvas.addEventListener("pointerleave", leave);
  canvas.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (step) arrow(...step);
    if (step || key(event.key)) event.preventDefault();
  });
}

function bytesOf(base64) {
  const text = atob(base64), bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

// ---- The network computes beside the page, so that the page never waits for it ----

const mind = { worker: null, busy: false, next: null };

function startNetwork() {
  const bytes = bytesOf(PAGE.weights).buffer;
  const work = () => {
    let network = null;
    onmessage = ({ data }) => {
      if (data.layers) {
        network = new Network(data.layers, data.bytes, data.bits);
        return;
      }
      const began = performance.now(), blocks = network.run(data.pixels);
      postMessage({ ...data, blocks, milliseconds: performance.now() - began });
    };
  };
  const program = new Blob([`${Network}\n(${work})()`], { type: "text/javascript" });
  mind.worker = new Worker(URL.createObjectURL(program));
  mind.worker.onmessage = ({ data }) => {
    mind.busy = false;
    if (mind.next) ask(mind.next);
    answer(data);
  };
  mind.worker.onerror = () => tell("This browser does not let the network run: try another one.");
  mind.worker.postMessage({ layers: PAGE.layers, bytes, bits: PAGE.bits });
  inside.start(new Network(PAGE.layers, bytes, PAGE.bits));
}

/* Ask for what the network makes of some pixels; while it computes, only the last question waits. */
function ask(question) {
  mind.next = mind.busy ? question : null;
  if (!mind.busy) mind.worker.postMessage(question);
  mind.busy = true;
}

function answer({ pixels, name, blocks, milliseconds }) {
  const shares = Network.softmax(blocks.at(-1).values, PAGE.temperature ?? 1);
  if (name === state.name) state.before = shares; // and not "..., partly hidden"
  drawBars(shares);
  inside.update(pixels, blocks);
  clearTimeout(state.saying); // a screen reader is told when the bars have come to rest
  state.saying = setTimeout(() => sayAnswer(name, shares, milliseconds), 250);
  element("answer").classList.remove("waiting");
  document.documentElement.dataset.answered ??= performance.now().toFixed();
}

function sayAnswer(name, shares, milliseconds) {
  const order = [...shares.keys()].sort((a, b) => shares[b] - shares[a]);
  const told = (index) => `${PAGE.classes[index]} ${percent(shares[index])}`;
  const [first, ...others] = order.slice(0, 3).map(told);
  const strong = make("strong", {}, shares[order[0]] < 0.5 ? `perhaps ${first}` : first);
  element("said").replaceChildren(strong, ` or ${others.join(", ")}. Picture: ${name}`);
  element("calibration").textContent = `Computed in ${milliseconds.toFixed()} ms. ` + (PAGE.temperature
    ? "Calibrated: of CIFAR-10's pictures that it is 70% sure of, about 7 in 10 should be right."
    : "Not calibrated: no temperature is stored beside this network.");
}

function drawBars(shares) {
  const list = element("bars");
  const best = Math.max(...shares);
  shares.forEach((share, index) => {
    const row = list.children[index];
    row.classList.toggle("best", share === best);
    row.style.setProperty("--share", share);
    row.style.setProperty("--before", state.before?.[index] ?? share);
    row.lastChild.textContent = percent(share);
  });
  list.classList.toggle("covered", Boolean(state.cover));
}

// ---- A picture ----

/* Show a picture, whatever can be drawn on a canvas, and ask what it is. */
function present(picture, name, shows = "The picture, and in it the square that counts") {
  element("problem").hidden = true;
  Object.assign(state, { name, cover: null, before: null, pixels: shrink(picture) });
  element("shows").textContent = shows;
  if (picture !== element("whole")) {
    drawWhole(picture, name);
    element("answer").classList.add("waiting");
  }
  look();
}

/* Open a file; say so if it is no picture. */
async function open(blob, name, shows) {
  const turn = ++state.opened;
  try {
    const picture = await decode(blob);
    if (turn !== state.opened) return;
    draw(false);
    present(picture, name, shows);
    picture.close();
  } catch {
    tell(`${name} is no picture that this browser can read: try a JPEG or PNG.`);
  }
}

function tell(problem) {
  element("problem").textContent = problem;
  element("problem").hidden = false;
}

function drawWhole(picture, name) {
  const canvas = element("whole"), brush = canvas.getContext("2d");
  const scale = Math.min(1, 640 / Math.max(picture.width, picture.height));
  [canvas.width, canvas.height] = [Math.round(picture.width * scale), Math.round(picture.height * scale)];
  brush.drawImage(picture, 0, 0, canvas.width, canvas.height);
  const { left, top, side } = middleSquare(picture);
  brush.fillStyle = `rgb(${colour("--paper").join(" ")} / 70%)`; // pale outside the square
  const square = new Path2D();
  square.rect(0, 0, canvas.width, canvas.height);
  square.rect(left * scale, top * scale, side * scale, side * scale);
  brush.fill(square, "evenodd");
  canvas.setAttribute("aria-label", `${name}, ${picture.width} by ${picture.height} pixels`);
}

/* Draw the 32 x 32 pixels, a part of them hidden if the grey square is out, and ask about what is seen. */
function look() {
  const pixels = state.pixels.slice();
  if (state.cover) {
    const { top, left } = state.cover, side = Number(element("cover").value);
    for (let y = Math.max(top, 0); y < Math.min(top + side, SIDE); y++) {
      for (let x = left; x < left + side; x++) {
        if (x >= 0 && x < SIDE) pixels.set(GREY, (y * SIDE + x) * 3);
      }
    }
  }
  const canvas = element("small");
  [canvas.width, canvas.height] = [SIDE, SIDE];
  canvas.getContext("2d").drawImage(asPicture(pixels), 0, 0);
  ask({ pixels, name: state.cover ? `${state.name}, partly hidden` : state.name });
}

function startCover() {
  const half = () => Math.floor(element("cover").value / 2);
  const move = (cover) => {
    const before = JSON.stringify(state.cover);
    state.cover = cover;
    if (state.pixels && JSON.stringify(cover) !== before) look();
  };
  const within = (value) => Math.min(Math.max(value, -half()), SIDE - half() - 1);
  steer(element("small"), {
    point: (x, y) => move({ top: Math.floor(y * SIDE) - half(), left: Math.floor(x * SIDE) - half() }),
    leave: () => move(null),
    arrow: (dx, dy) => {
      const { top, left } = state.cover ?? { top: 16 - half(), left: 16 - half() };
      move({ top: within(top + 2 * dy), left: within(left + 2 * dx) });
    },
    key: (key) => key === "Escape" && !move(null),
  });
  element("small").addEventListener("blur", () => move(null));
  element("cover").addEventListener("input", ({ target }) => {
    element("cover-said").textContent = `${target.value} × ${target.value}`;
  });
}

// ---- A drawing ----

const SHEET = 320; // pixels
const pen = { x: SHEET / 2, y: SHEET / 2, down: false };

/* Turn the first canvas into a sheet to draw on, or back. */
function draw(on) {
  const canvas = element("whole");
  element("tools").hidden = !on;
  element("pen").hidden = true;
  element("draw").setAttribute("aria-expanded", on);
  canvas.classList.toggle("sheet", on);
  canvas.tabIndex = on ? 0 : -1;
  canvas.setAttribute("role", on ? "application" : "img");
  if (!on) return;
  canvas.setAttribute("aria-label", "A sheet. Arrow keys move the brush, space sets it down and lifts it.");
  [canvas.width, canvas.height] = [SHEET, SHEET];
  wipe();
  canvas.focus();
}

function wipe() {
  const brush = element("whole").getContext("2d");
  brush.fillStyle = "white";
  brush.fillRect(0, 0, SHEET, SHEET);
  present(element("whole"), "your drawing", "Draw here: mouse, finger, or arrow keys and space");
}

/* Move the brush to a place, and paint on the way if it is down; a keyboard needs to be shown where it is. */
function stroke(x, y, down, keyboard = false) {
  const brush = element("whole").getContext("2d");
  brush.strokeStyle = element("colour").value;
  brush.lineWidth = element("brush").value;
  brush.lineCap = "round";
  if (down) {
    brush.beginPath();
    brush.moveTo(...(pen.down ? [pen.x, pen.y] : [x, y]));
    brush.lineTo(x, y);
    brush.stroke();
    present(element("whole"), "your drawing", element("shows").textContent);
  }
  Object.assign(pen, { x, y, down });
  element("pen").hidden = !keyboard;
  const unit = element("whole").clientWidth / SHEET;
  element("pen").style.translate = `${x * unit}px ${y * unit}px`;
}

function startDrawing() {
  const on = () => element("whole").classList.contains("sheet");
  steer(element("whole"), {
    point: (across, down, pressed) => on() && stroke(across * SHEET, down * SHEET, pressed),
    leave: () => { pen.down = false; },
    arrow: (dx, dy) => {
      if (!on()) return;
      const within = (value) => Math.min(Math.max(value, 0), SHEET);
      stroke(within(pen.x + STEP * dx), within(pen.y + STEP * dy), pen.down, true);
    },
    key: (key) => {
      if (!on() || key !== " ") return false;
      const down = !pen.down;
      pen.down = false;
      stroke(pen.x, pen.y, down, true);
      element("shows").textContent = `The brush is ${down ? "down" : "up"}`;
      return true;
    },
  });
  element("draw").addEventListener("click", () => draw(!on()));
  element("clear").addEventListener("click", wipe);
}

// ---- Where pictures come from ----

function startSources() {
  for (const id of ["file", "camera"]) {
    element(id).addEventListener("change", ({ target }) => {
      if (target.files[0]) open(target.files[0], target.files[0].name);
      target.value = ""; // so that the same file can come again
    });
  }
  const take = (event, data) => {
    if (!data.files.length) return;
    event.preventDefault();
    open(data.files[0], data.files[0].name);
  };
  addEventListener("paste", (event) => take(event, event.clipboardData));
  addEventListener("drop", (event) => {
    document.body.classList.remove("dropping");
    event.preventDefault();
    take(event, event.dataTransfer);
  });
  addEventListener("dragover", (event) => {
    event.preventDefault();
    document.body.classList.add("dropping");
  });
  addEventListener("dragleave", () => document.body.classList.remove("dropping"));
}

/* A data URI as a file: fetching one would be a request. */
function fileOf(address) {
  const [head, content] = address.split(",");
  return new Blob([bytesOf(content)], { type: head.match(/:(.*);/)[1] });
}

function startExamples() {
  for (const { name, shows, file } of PAGE.examples) {
    const item = make("li"), button = make("button", { type: "button" });
    button.append(make("img", { src: file, alt: "" }), make("span", {}, name));
    button.addEventListener("click", () => open(fileOf(file), name, shows));
    item.append(button);
    element("examples").append(item);
  }
}

function startWords() {
  for (const name of PAGE.classes) {
    const row = make("li");
    row.append(make("span", {}, name), make("i"), make("b", {}, "–"));
    element("bars").append(row);
  }
  const weights = `${PAGE.parameters.toLocaleString("en")} weights, kept in ${PAGE.bits} bits each`;
  const right = PAGE.accuracy ? `: right on ${percent(PAGE.accuracy)} of CIFAR-10's test pictures` : "";
  element("about").textContent = `The network has ${weights}${right}.`;
  const credits = PAGE.examples.map(({ shows }) => shows.split(" Photo: ")[1]).filter(Boolean);
  element("credits").textContent = credits.join("; ");
}

startWords();
startSources();
startExamples();
startCover();
startDrawing();
startNetwork();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => inside.repaint());
open(fileOf(PAGE.examples[0].file), PAGE.examples[0].name, PAGE.examples[0].shows);
