// What the tests ask of JupyterLab's page; Playwright puts it into each page before it loads.
window.look = {
  panel: () => window.jupyterapp?.shell.currentWidget,
  kernel: () => look.panel().sessionContext.session?.kernel,
  shown: (selector) => [...look.panel().content.node.querySelectorAll(selector)],

  // The notebook is open and its kernel waits.
  ready() {
    const panel = look.panel();
    const open = panel?.content?.model && panel.context?.isReady && panel.sessionContext?.isReady;
    return Boolean(open) && look.kernel()?.status === "idle";
  },

  // The code cells that hold something: JupyterLab does not run an empty one.
  code: () => [...look.panel().content.model.cells]
    .filter((cell) => cell.type === "code" && cell.sharedModel.getSource().trim()),

  counts: () => look.code().map((cell) => cell.executionCount),
  outputs: () => look.code().map((cell) => cell.outputs.toJSON()),

  // Run All, as in the menu; `ended` says when the last cell came to its end or one failed. Right after it
  // has opened, JupyterLab may pass over the command without a word: if nothing has run, it is given again.
  start() {
    look.over = false;
    window.jupyterapp.commands.execute("runmenu:run-all").finally(() => { look.over = true; });
  },
  ended() {
    if (!look.over || look.kernel()?.status !== "idle") return false;
    if (look.counts().some((count) => count !== null)) return true;
    look.start();
    return false;
  },

  async theme(name) {
    await window.jupyterapp.commands.execute("apputils:change-theme", { theme: name });
  },

  // Scroll so far down; return the notebook's height and that of the part in view, in pixels.
  scroll(top) {
    const [box] = look.shown(".jp-WindowedPanel-outer");
    box.scrollTop = top;
    const end = look.shown(".jp-Cell").at(-1).getBoundingClientRect().bottom;
    return [Math.ceil(end - box.getBoundingClientRect().top + box.scrollTop), box.clientHeight];
  },

  // Each picture: its alt text, its width in pixels (0 if it could not be decoded), whether one can see it,
  // and whether it brings its own ground, so that dark ink never lies on a dark page.
  pictures: () => Promise.all(look.shown(".jp-OutputArea-output img, .jp-MarkdownOutput img").map(async (img) => {
    await img.decode().catch(() => {});
    const box = img.getBoundingClientRect();
    return {
      output: Boolean(img.closest(".jp-OutputArea-output")), // these have their alt text in the notebook alone
      alt: img.alt.trim().replace(/^Image$/, ""), // JupyterLab's own where there is none
      width: img.naturalWidth,
      visible: img.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && box.width * box.height > 0,
      solid: !img.src.startsWith("data:") || look.solid(img),
    };
  })),

  solid(img) {
    if (!img.naturalWidth) return false;
    const canvas = new OffscreenCanvas(img.naturalWidth, img.naturalHeight);
    const brush = canvas.getContext("2d");
    brush.drawImage(img, 0, 0);
    const corners = [[0, 0], [canvas.width - 1, 0], [0, canvas.height - 1], [canvas.width - 1, canvas.height - 1]];
    return corners.every(([x, y]) => brush.getImageData(x, y, 1, 1).data[3] === 255);
  },

  // Each progress bar that is still there, and whether it is full; one that failed is red.
  bars: () => look.shown(".jp-OutputArea-output .progress-bar").map((bar) => ({
    full: bar.style.width === "100%",
    failed: bar.classList.contains("progress-bar-danger"),
  })),

  // Each widget's place: whether a widget stands there, and what it says. A closed one leaves a hidden place.
  widgets: () => look.shown(".jp-OutputArea-output:not([data-mime-type])")
    .filter((place) => place.checkVisibility())
    .map((place) => ({ drawn: Boolean(place.querySelector(".jupyter-widgets")), text: place.textContent.trim() })),

  // Texts of prose and outputs, JupyterLab's own messages of errors and the tables of Keras' `summary` (which
  // look so for everybody) left out, whose colour is too near the ground's: contrast below 3, as WCAG counts it.
  faint() {
    const brush = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    const luminance = (colours) => { // of colours painted one over the other
      for (const colour of colours) {
        brush.fillStyle = colour;
        brush.fillRect(0, 0, 1, 1);
      }
      const [r, g, b] = [...brush.getImageData(0, 0, 1, 1).data].map((value) => {
        const share = value / 255;
        return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const ground = (element) => (element ? [...ground(element.parentElement), getComputedStyle(element).backgroundColor] : []);
    const contrast = (element) => {
      const below = ["white", ...ground(element)];
      const [ink, paper] = [luminance([...below, getComputedStyle(element).color]), luminance(below)];
      return (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
    };
    const ownText = (element) => [...element.childNodes]
      .some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
    return look.shown('.jp-OutputArea-output:not([data-mime-type$="stderr"]) *, .jp-MarkdownOutput *')
      .filter((element) => ownText(element) && element.checkVisibility() && contrast(element) < 3)
      .filter((element) => !element.closest('pre[style*="Menlo"]'))
      .map((element) => element.textContent.trim().slice(0, 60));
  },
};
