"use strict";
/* From a picture of any size to the 32 x 32 pixels that the network gets, computed as Pillow computes them,
   and so as `load_photo` in helpers/predict.py: the middle square, then a bicubic filter that is as wide as
   what it shrinks, first along the rows, then along the columns, rounded to 0 to 255 after each. */

const SIDE = 32;
const STRIP = 256; // rows that are read at a time: a whole photo would fill a telephone's memory
const PRECISION = 2 ** 22; // weights are whole numbers: shares of this

/* The picture in a file, upright, its first frame, its colours as they are stored; rejects if it is none. */
function decode(blob) {
  return createImageBitmap(blob, { colorSpaceConversion: "none" });
}

function middleSquare({ width, height }) {
  const side = Math.min(width, height);
  return { left: Math.floor((width - side) / 2), top: Math.floor((height - side) / 2), side };
}

/* The bicubic kernel with a = -0.5 (Keys 1981): how much a pixel counts at a distance of x. */
function bicubic(x) {
  x = Math.abs(x);
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  if (x < 2) return ((-0.5 * x + 2.5) * x - 4) * x + 2;
  return 0;
}

/* For each of SIDE new pixels: the first of the `side` old ones that it is made of, and their weights. */
function resamplingWeights(side) {
  const scale = side / SIDE;
  const wide = Math.max(scale, 1); // a picture is shrunk by averaging, and enlarged by reading in between
  return Array.from({ length: SIDE }, (_, i) => {
    const centre = (i + 0.5) * scale;
    const first = Math.max(Math.floor(centre - 2 * wide + 0.5), 0);
    const last = Math.min(Math.floor(centre + 2 * wide + 0.5), side);
    const distance = (j) => (first + j + 0.5 - centre) / wide;
    const weights = Array.from({ length: last - first }, (_, j) => bicubic(distance(j)));
    const sum = weights.reduce((a, b) => a + b);
    const rounded = (weight) => Math.trunc(weight * PRECISION + (weight < 0 ? -0.5 : 0.5));
    return { first, weights: weights.map((weight) => rounded(weight / sum)) };
  });
}

/* Replace lines of old pixels by lines of SIDE new ones. `at(line, i)` and `to(line, i)` say where a pixel's
   colours begin in `from` and in `into`; `step` is how many numbers further the line's next pixel stands. */
function resample(from, into, lines, step, at, to, every) {
  for (let line = 0; line < lines; line++) {
    every.forEach(({ first, weights }, i) => {
      let place = at(line, first), red = 0, green = 0, blue = 0;
      for (let j = 0; j < weights.length; j++, place += step) {
        red += from[place] * weights[j];
        green += from[place + 1] * weights[j];
        blue += from[place + 2] * weights[j];
      }
      into.set([red, green, blue].map((sum) => Math.floor(sum / PRECISION + 0.5)), to(line, i)); // it clamps
    });
  }
}

/* The 32 x 32 x 3 numbers, 0 to 255, of a picture: whatever can be drawn on a canvas. */
function shrink(picture) {
  const { left, top, side } = middleSquare(picture);
  const weights = resamplingWeights(side);
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [side, Math.min(STRIP, side)];
  const brush = canvas.getContext("2d", { willReadFrequently: true });
  const narrow = new Uint8ClampedArray(side * SIDE * 3); // all rows, each of SIDE pixels
  for (let row = 0; row < side; row += STRIP) {
    const rows = Math.min(STRIP, side - row);
    brush.fillStyle = "white"; // what was transparent
    brush.fillRect(0, 0, side, rows);
    brush.drawImage(picture, left, top + row, side, rows, 0, 0, side, rows);
    const strip = brush.getImageData(0, 0, side, rows).data; // red, green, blue and opacity
    const to = (y, x) => ((row + y) * SIDE + x) * 3;
    resample(strip, narrow, rows, 4, (y, x) => (y * side + x) * 4, to, weights);
  }
  const pixels = new Uint8ClampedArray(SIDE * SIDE * 3);
  const place = (x, y) => (y * SIDE + x) * 3;
  resample(narrow, pixels, SIDE, SIDE * 3, place, place, weights);
  return pixels;
}
