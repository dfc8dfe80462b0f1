"use strict";
/* A convolutional network, forward only: from the pixels of a picture to ten logits.

   What flows from layer to layer is a block of numbers { values, shape: [height, width, channels] }. `values`
   is one long array: first the channels of the top left place, then those of the place to its right, and so
   on, row by row. So the number at (y, x, c) stands at (y * width + x) * channels + c. A plain list of n
   numbers is a block of shape [1, 1, n], and a dense layer is a convolution that reads 1 x 1 places.

   Each layer is a function below, under the name that Keras gives it: block in, block out. All numbers are
   doubles: JavaScript computes with nothing else, and to turn 32-bit numbers into doubles takes time. */

class Network {
  /* layers: what tools/page.py tells of each; weights: an ArrayBuffer with the numbers of all of them. */
  constructor(layers, weights, bits) {
    const floats = ([start, length]) => Float64Array.from(new Float32Array(weights, start, length));
    const Whole = bits === 8 ? Int8Array : Int16Array;
    this.layers = layers.map((layer) => {
      const arrays = {};
      for (const name of ["scale", "shift", "bias", "scales"]) {
        if (layer[name]) arrays[name] = floats(layer[name]);
      }
      if (layer.kernel) {
        const [start, length] = layer.kernel;
        arrays.kernel = Network.unpack(new Whole(weights, start, length), arrays.scales);
      }
      const size = layer.kernel_size ?? layer.pool_size ?? [1, 1]; // of the window that a place reads
      return { ...layer, ...arrays, size, step: layer.strides ?? [1, 1] };
    });
  }

  /* A kernel is stored as whole numbers, one row per filter, and each row has a scale of its own. */
  static unpack(whole, scales) {
    const kernel = new Float64Array(whole.length);
    const length = whole.length / scales.length;
    scales.forEach((scale, filter) => {
      for (let i = filter * length; i < (filter + 1) * length; i++) kernel[i] = whole[i] * scale;
    });
    return kernel;
  }

  /* Return what each layer makes of the pixels, 0 to 255, of a picture of 32 x 32; the last one: logits. */
  run(pixels) {
    let block = { values: Float64Array.from(pixels), shape: [32, 32, 3] };
    return this.layers.map((layer) => (block = Network[layer.kind](block, layer)));
  }

  /* Logits to probabilities. Divided by the temperature first, they are as sure as they are often right. */
  static softmax(logits, temperature) {
    const largest = Math.max(...logits);
    const powers = Array.from(logits, (logit) => Math.exp((logit - largest) / temperature));
    const sum = powers.reduce((a, b) => a + b);
    return powers.map((power) => power / sum);
  }

  // ---- Layers that multiply and add ----

  /* Each filter is laid over each place: the numbers of the patch times those of the kernel, added up. */
  static Conv2D(input, layer) {
    const { kernel, bias, activation, shape } = layer;
    const patches = Network.patches(input, layer), length = kernel.length / shape[2];
    const output = { values: Network.products(patches, kernel, length), shape };
    if (bias) Network.perChannel(output, (value, channel) => value + bias[channel]);
    return Network.Activation(output, { activation });
  }

  static Dense(input, layer) {
    return Network.Conv2D(input, layer);
  }

  /* The rows and columns of the input that a place (y, x) of the output reads; some may lie outside. */
  static window({ kind, size, step, padding }, [height, width], y, x) {
    const [rows, columns] = kind.startsWith("Global") || kind === "Flatten" ? [height, width] : size;
    const [above, before] = padding === "same" ? [(rows - 1) >> 1, (columns - 1) >> 1] : [0, 0];
    return { top: y * step[0] - above, left: x * step[1] - before, rows, columns };
  }

  /* Write the patch that each place reads as one row of numbers ("im2col"): zeros where it lies outside. */
  static patches({ values, shape: [height, width, channels] }, layer) {
    const [rows, columns] = layer.shape, length = layer.size[0] * layer.size[1] * channels;
    const patches = new Float64Array(rows * columns * length);
    for (let place = 0; place < rows * columns; place++) {
      const patch = Network.window(layer, [height, width], Math.floor(place / columns), place % columns);
      const from = Math.max(patch.left, 0), to = Math.min(patch.left + patch.columns, width);
      for (let i = 0; i < patch.rows; i++) { // a row of the patch lies in one piece in the input
        const row = patch.top + i;
        if (row < 0 || row >= height) continue;
        const piece = values.subarray((row * width + from) * channels, (row * width + to) * channels);
        patches.set(piece, place * length + (i * patch.columns + from - patch.left) * channels);
      }
    }
    return patches;
  }

  /* Every patch times every filter, both rows of `length` numbers: here nearly all of the time goes. One row
     times one other would fetch two numbers from memory for each multiplication. Two patches and four filters
     at a time need six for eight. At the end of a list the last row is taken again, and gives the same. */
  static products(patches, filters, length) {
    const places = patches.length / length, channels = filters.length / length;
    const output = new Float64Array(places * channels);
    for (let place = 0; place < places; place += 2) {
      const next = Math.min(place + 1, places - 1);
      for (let channel = 0; channel < channels; channel += 4) {
        const [a, b, c, d] = [0, 1, 2, 3].map((i) => Math.min(channel + i, channels - 1));
        Network.block(patches, place, next, filters, a, b, c, d, length, output, channels);
      }
    }
    return output;
  }

  static block(patches, place, next, filters, a, b, c, d, length, output, channels) {
    const p = place * length, q = next * length;
    const fa = a * length, fb = b * length, fc = c * length, fd = d * length;
    let pa = 0, pb = 0, pc = 0, pd = 0, qa = 0, qb = 0, qc = 0, qd = 0;
    for (let i = 0; i < length; i++) {
      const here = patches[p + i], there = patches[q + i];
      let weight = filters[fa + i];
      pa += here * weight;
      qa += there * weight;
      weight = filters[fb + i];
      pb += here * weight;
      qb += there * weight;
      weight = filters[fc + i];
      pc += here * weight;
      qc += there * weight;
      weight = filters[fd + i];
      pd += here * weight;
      qd += there * weight;
    }
    output[place * channels + a] = pa;
    output[place * channels + b] = pb;
    output[place * channels + c] = pc;
    output[place * channels + d] = pd;
    output[next * channels + a] = qa;
    output[next * channels + b] = qb;
    output[next * channels + c] = qc;
    output[next * channels + d] = qd;
  }

  // ---- Layers that change each number on its own ----

  /* Replace each value by change(value, its channel). */
  static perChannel({ values, shape: [, , channels] }, change) {
    for (let i = 0, channel = 0; i < values.length; i++) {
      values[i] = change(values[i], channel);
      if (++channel === channels) channel = 0;
    }
  }

  /* In training it subtracts the batch's mean and divides by its spread. Once trained, both are known, and
     with the learnt factor and offset they come to one factor and one offset for each channel. */
  static BatchNormalization({ values, shape }, { scale, shift }) {
    const output = { values: values.slice(), shape };
    Network.perChannel(output, (value, channel) => value * scale[channel] + shift[channel]);
    return output;
  }

  static Normalization(input, layer) { // of the pixels: mean 0, standard deviation 1
    return Network.BatchNormalization(input, layer);
  }

  static Rescaling(input, layer) {
    return Network.BatchNormalization(input, layer);
  }

  static Activation({ values, shape }, { activation }) {
    if (activation === "relu") return { values: values.map((x) => Math.max(x, 0)), shape };
    if (activation === "silu") return { values: values.map((x) => x / (1 + Math.exp(-x))), shape };
    return { values, shape }; // "linear"
  }

  static ReLU(input) {
    return Network.Activation(input, { activation: "relu" });
  }

  static Dropout(input) { // it works in training alone
    return input;
  }

  // ---- Layers that make the maps smaller ----

  /* The largest number of each window, channel by channel. */
  static MaxPooling2D({ values, shape: [, width, channels] }, { size, step, shape }) {
    const [rows, columns] = shape;
    const largest = new Float64Array(rows * columns * channels).fill(-Infinity);
    for (let y = 0; y < rows; y++) {
      for (let x = 0; x < columns; x++) {
        for (let i = 0; i < size[0] * size[1]; i++) {
          const row = y * step[0] + Math.floor(i / size[1]), column = x * step[1] + (i % size[1]);
          const from = (row * width + column) * channels, to = (y * columns + x) * channels;
          for (let c = 0; c < channels; c++) {
            if (values[from + c] > largest[to + c]) largest[to + c] = values[from + c];
          }
        }
      }
    }
    return { values: largest, shape };
  }

  static GlobalMaxPooling2D(input, { shape }) {
    const size = input.shape.slice(0, 2);
    return Network.MaxPooling2D(input, { size, step: size, shape });
  }

  static GlobalAveragePooling2D({ values, shape: [height, width] }, { shape }) {
    const mean = new Float64Array(shape[2]);
    values.forEach((value, i) => { mean[i % shape[2]] += value / (height * width); });
    return { values: mean, shape };
  }

  static Flatten({ values }, { shape }) {
    return { values, shape };
  }
}
