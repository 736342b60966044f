// The page of a report: choosing and sorting images, and one image at full size.
// Classic scripts throughout: a page opened from a disk may not load modules or other files' pixels.
"use strict";

const setup = window.ilpixSetup;
const byId = (id) => document.getElementById(id);
const root = document.documentElement;
const cards = [...document.querySelectorAll(".card")];
const KEPT_IMAGES = 3; // at full size in memory
const SLOTS = 3; // channels shown together
const MOST_ZOOM = 40;
const SCALE_BAR_PX = 160; // at most

// ---- the page -------------------------------------------------------------------------------

const remembered = {
  get: (key) => { try { return localStorage.getItem(`ilpix-${key}`); } catch { return null; } },
  set: (key, value) => { try { localStorage.setItem(`ilpix-${key}`, value); } catch { /* private */ } },
};

function nameTheFolder() {
  const parts = decodeURIComponent(location.pathname).split("/").filter(Boolean);
  const folder = parts.at(-1)?.includes(".") ? parts.at(-3) : parts.at(-2);
  if (!folder) return;
  byId("folder").textContent = folder;
  document.title = `${folder}: pixel classification`;
}

function setPalette(safe) {
  root.classList.toggle("safe", safe);
  byId("palette").setAttribute("aria-pressed", safe);
  for (const image of document.querySelectorAll("img.result")) {
    image.dataset.usual ??= image.getAttribute("src");
    image.setAttribute("src", safe ? image.dataset.safe : image.dataset.usual);
  }
  remembered.set("safe", safe ? "1" : "");
  viewer.draw();
}

function setTheme(theme) {
  root.classList.remove("light", "dark");
  if (theme) root.classList.add(theme);
  remembered.set("theme", theme);
}

function switchTheme() {
  const isDark = root.classList.contains("dark") ||
    (!root.classList.contains("light") && matchMedia("(prefers-color-scheme: dark)").matches);
  setTheme(isDark ? "light" : "dark");
}

function breakable(name) {
  return name.split(/(?<=[_.-])/).flatMap((part) => [part, document.createElement("wbr")]);
}

function numberOf(card, key) {
  if (key === "unusual") return -Number(card.dataset.unusual);
  if (key === "uncertainty") return -Number(card.dataset.uncertainty);
  return -Number(card.dataset.areas.split(",")[Number(key)]);
}

function arrange() {
  const words = byId("find").value.toLowerCase();
  const kind = byId("show").value;
  const key = byId("sort").value;
  const fits = (card) => card.dataset.name.toLowerCase().includes(words) && (
    kind === "all" || card.dataset.state === kind ||
    (kind === "unusual" && Number(card.dataset.unusual) > 0));
  const order = key === "name" ? cards
    : [...cards].sort((one, other) => numberOf(one, key) - numberOf(other, key));
  const shown = order.filter(fits);
  byId("cards").replaceChildren(...shown);
  byId("number").textContent = `${shown.length} of ${cards.length}`;
  byId("none").hidden = shown.length > 0;
}

function moveSplit(event) {
  const frame = event.target.closest?.(".frame");
  if (!frame || event.pointerType === "touch") return;
  const box = frame.getBoundingClientRect();
  frame.style.setProperty("--split", `${100 * (event.clientX - box.left) / box.width}%`);
}

// ---- one image ------------------------------------------------------------------------------

const loaded = new Map(); // name: what its script says, with pixels
const waiting = new Map(); // name: what to call then
let distributions = null;

window.ilpix = {
  receive(name, content) { waiting.get(name)?.(content); },
  compare(found) { distributions = found; },
};

function loadScript(source) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = source;
    script.onload = () => { script.remove(); resolve(); };
    script.onerror = () => { script.remove(); reject(new Error(source)); };
    document.head.append(script);
  });
}

async function pixelsOf(url) {
  const image = new Image();
  image.src = url;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = image.naturalWidth;
  canvas.height = image.naturalHeight;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(image, 0, 0);
  const colors = context.getImageData(0, 0, canvas.width, canvas.height).data;
  const grey = new Uint8Array(canvas.width * canvas.height);
  for (let i = 0; i < grey.length; i++) grey[i] = colors[4 * i];
  return { grey, width: canvas.width, height: canvas.height };
}

async function load(name) {
  if (loaded.has(name)) return loaded.get(name);
  let content = null;
  waiting.set(name, (found) => { content = found; });
  await loadScript(`${setup.pictures}/${encodeURIComponent(name)}.js`);
  waiting.delete(name);
  const [classes, certainty] = await Promise.all([pixelsOf(content.classes), pixelsOf(content.certainty)]);
  const image = { ...content, name, classes, certainty, greys: new Map() };
  loaded.set(name, image);
  while (loaded.size > KEPT_IMAGES) loaded.delete(loaded.keys().next().value);
  return image;
}

async function channelOf(image, channel) {
  if (!image.greys.has(channel)) image.greys.set(channel, await pixelsOf(image.channels[channel].grey));
  return image.greys.get(channel);
}

class Viewer {
  constructor() {
    this.dialog = byId("viewer");
    this.image = null;
    this.name = "";
    this.scale = 1;
    this.x = this.y = 0;
    this.slots = setup.composite.slice(0, SLOTS);
    while (this.slots.length < SLOTS) this.slots.push(-1);
  }

  async open(name) {
    this.name = name;
    if (!this.dialog.open) this.dialog.showModal();
    const names = this.names();
    byId("title").replaceChildren(...breakable(name));
    byId("position").textContent = `${names.indexOf(name) + 1} of ${names.length}`;
    byId("busy").textContent = "Loading …";
    byId("busy").hidden = false;
    try {
      const [image] = await Promise.all([load(name), distributions || loadScript("distributions.js").catch(() => null)]);
      if (this.name !== name) return;
      const isOther = !this.image || this.image.classes.width !== image.classes.width ||
        this.image.classes.height !== image.classes.height;
      this.image = image;
      this.tell();
      if (isOther) this.fit();
      await this.draw();
      byId("busy").hidden = true;
    } catch (error) {
      byId("busy").textContent = `This image cannot be shown: ${error.message}`;
    }
  }

  names() {
    const shown = [...byId("cards").children].map((card) => card.dataset.name);
    return shown.includes(this.name) ? shown : cards.map((card) => card.dataset.name);
  }

  step(by) {
    const names = this.names();
    this.open(names[(names.indexOf(this.name) + by + names.length) % names.length]);
  }

  tell() {
    const { size, step } = this.image;
    const reduced = step > 1 ? `, every ${step}th pixel is shown` : "";
    const names = this.names();
    byId("position").textContent =
      `${names.indexOf(this.name) + 1} of ${names.length}, ${size[0]} × ${size[1]} px${reduced}`;
    byId("stage").setAttribute("aria-label", `${this.name}: the image and its result`);
    this.listChannels();
  }

  listChannels() {
    const box = byId("channels");
    box.replaceChildren(box.firstElementChild);
    this.slots.forEach((channel, slot) => {
      const row = document.createElement("div");
      row.className = "slot";
      const swatch = document.createElement("i");
      swatch.className = "swatch";
      swatch.style.background = `rgb(${setup.compositeColors[slot].join(" ")})`;
      const select = document.createElement("select");
      select.setAttribute("aria-label", `Channel in colour ${slot + 1}`);
      select.append(new Option("none", -1), ...setup.channels.map((name, index) => new Option(name, index)));
      select.value = channel;
      select.addEventListener("change", () => {
        this.slots[slot] = Number(select.value);
        this.listChannels();
        this.draw();
      });
      row.append(swatch, select);
      if (channel >= 0) row.append(this.bounds(channel), ...this.distribution(channel));
      box.append(row);
    });
  }

  bounds(channel) {
    const small = document.createElement("small");
    const [low, top] = this.image.channels[channel].bounds;
    small.textContent = `black ${low}, full colour ${top}`;
    return small;
  }

  distribution(channel) {
    const own = distributions?.images[this.name]?.[channel];
    const crops = document.querySelectorAll(".channel")[channel]?.querySelector(".lane.crops rect");
    if (!own || !crops) return [];
    const [low, high] = [distributions.quantiles.indexOf(0.25), distributions.quantiles.indexOf(0.97)];
    const mini = document.createElement("span");
    mini.className = "mini";
    mini.title = "above: this image, below: the training crops";
    for (const [kind, start, end] of [
      ["images", own[low], own[high]],
      ["crops", Number(crops.getAttribute("x")), Number(crops.getAttribute("x")) + Number(crops.getAttribute("width"))],
    ]) {
      const bar = document.createElement("i");
      bar.className = kind;
      bar.style.left = `${start}%`;
      bar.style.width = `${end - start}%`;
      mini.append(bar);
    }
    return [mini];
  }

  kind() {
    return document.querySelector("input[name=result]:checked").value;
  }

  async draw() {
    const image = this.image;
    if (!image) return;
    const chosen = this.slots.map((channel, slot) => ({ channel, color: setup.compositeColors[slot] }))
      .filter(({ channel }) => channel >= 0);
    const greys = await Promise.all(chosen.map(({ channel }) => channelOf(image, channel)));
    if (this.image !== image) return;
    const alone = chosen.length === 1;
    this.paint("under", (data, size) => {
      const gain = 2 ** (Number(byId("bright").value) / 50);
      const table = Float32Array.from({ length: 256 }, (_, grey) => Math.min(255, grey * gain));
      for (let i = 0; i < size; i++) {
        let red = 0, green = 0, blue = 0;
        for (let c = 0; c < greys.length; c++) {
          const light = table[greys[c].grey[i]] / 255;
          const color = alone ? [255, 255, 255] : chosen[c].color;
          red += light * color[0];
          green += light * color[1];
          blue += light * color[2];
        }
        data[4 * i] = red;
        data[4 * i + 1] = green;
        data[4 * i + 2] = blue;
        data[4 * i + 3] = 255;
      }
    });
    const colors = root.classList.contains("safe") ? setup.safeColors : setup.colors;
    const kind = this.kind();
    const { classes, certainty } = image;
    this.paint("over", (data, size) => {
      for (let i = 0; i < size; i++) {
        const color = kind === "uncertainty" ? heat(255 - certainty.grey[i]) : colors[classes.grey[i]];
        data.set(color, 4 * i);
        data[4 * i + 3] = kind === "none" ? 0 : kind === "certain" ? certainty.grey[i] : 255;
      }
    });
    this.outline();
    this.place();
  }

  outline() {
    const { grey, width, height } = this.image.classes;
    const isWanted = byId("outlines").checked;
    this.paint("lines", (data) => {
      if (!isWanted) return;
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          const i = y * width + x;
          const isEdge = (x + 1 < width && grey[i] !== grey[i + 1]) || (y + 1 < height && grey[i] !== grey[i + width]);
          if (isEdge) data.set([255, 255, 255, 255], 4 * i);
        }
      }
    });
  }

  paint(id, fill) {
    const { width, height } = this.image.classes;
    const canvas = byId(id);
    canvas.width = width;
    canvas.height = height;
    const context = canvas.getContext("2d");
    const pixels = context.createImageData(width, height);
    fill(pixels.data, width * height);
    context.putImageData(pixels, 0, 0);
  }

  fit() {
    const stage = byId("stage");
    const { width, height } = this.image.classes;
    this.scale = Math.min(stage.clientWidth / width, stage.clientHeight / height) * 0.98;
    this.x = (stage.clientWidth - width * this.scale) / 2;
    this.y = (stage.clientHeight - height * this.scale) / 2;
    this.place();
  }

  zoom(by, atX = byId("stage").clientWidth / 2, atY = byId("stage").clientHeight / 2) {
    const scale = Math.min(MOST_ZOOM, Math.max(0.05, this.scale * by));
    this.x = atX - (atX - this.x) * scale / this.scale;
    this.y = atY - (atY - this.y) * scale / this.scale;
    this.scale = scale;
    this.place();
  }

  place() {
    if (!this.image) return;
    const { width } = this.image.classes;
    const layers = byId("layers");
    layers.style.transform = `translate(${this.x}px, ${this.y}px) scale(${this.scale})`;
    layers.classList.toggle("near", this.scale >= 1.5);
    const at = byId("stage").clientWidth * Number(byId("divide").value) / 100;
    const cut = Math.min(Math.max((at - this.x) / this.scale, 0), width);
    byId("over").style.clipPath = `inset(0 0 0 ${cut}px)`;
    byId("over").style.opacity = Number(byId("blend").value) / 100;
    byId("line").style.left = `${at}px`;
    byId("zoom").textContent = `${Math.round(100 * this.scale / this.image.step)} %`;
    this.measure();
  }

  measure() {
    const bar = byId("scale");
    const um = this.image.pixelUm;
    bar.hidden = !um;
    if (!um) return;
    const screenUm = um * this.image.step / this.scale; // of one pixel of the screen
    const power = 10 ** Math.floor(Math.log10(SCALE_BAR_PX * screenUm));
    const length = power * [5, 2, 1].find((times) => times * power <= SCALE_BAR_PX * screenUm);
    bar.style.width = `${length / screenUm}px`;
    bar.textContent = length >= 1000 ? `${length / 1000} mm` : `${Number(length.toPrecision(1))} µm`;
  }

  divide(x) {
    byId("divide").value = Math.min(100, Math.max(0, 100 * x / byId("stage").clientWidth));
    this.place();
  }

  point(event) {
    const box = byId("stage").getBoundingClientRect();
    const x = Math.floor((event.clientX - box.left - this.x) / this.scale);
    const y = Math.floor((event.clientY - box.top - this.y) / this.scale);
    const text = byId("under-pointer");
    const { classes, certainty, step, channels, greys } = this.image || { classes: { width: 0, height: 0 } };
    if (x < 0 || y < 0 || x >= classes.width || y >= classes.height) {
      text.textContent = "";
      return;
    }
    const i = y * classes.width + x;
    const values = this.slots.filter((channel) => channel >= 0 && greys.has(channel)).map((channel) => {
      const [low, top] = channels[channel].bounds;
      const value = low + (greys.get(channel).grey[i] / 255) ** (1 / setup.tone) * (top - low);
      return `${setup.channels[channel]} ≈ ${value.toPrecision(2)}`;
    });
    const uncertain = Math.round(100 * (1 - certainty.grey[i] / 255));
    text.textContent = `row ${y * step}, column ${x * step}: ${setup.classes[classes.grey[i]]}, ` +
      `uncertainty ${uncertain} %; ${values.join(", ")}`;
  }
}

// From dark to bright and from blue to yellow, so that it is read with any kind of colour vision.
const HEAT = [[0, 0, 40], [50, 20, 120], [150, 40, 120], [225, 90, 60], [250, 170, 40], [255, 250, 170]];

function heat(value) {
  const place = value / 255 * (HEAT.length - 1);
  const first = Math.min(Math.floor(place), HEAT.length - 2);
  return HEAT[first].map((low, part) => low + (HEAT[first + 1][part] - low) * (place - first));
}

const viewer = new Viewer();

// ---- what happens when ----------------------------------------------------------------------

function listenToPage() {
  byId("palette").addEventListener("click", () => setPalette(!root.classList.contains("safe")));
  byId("theme").addEventListener("click", switchTheme);
  byId("print").addEventListener("click", () => print());
  for (const id of ["find", "show", "sort"]) byId(id).addEventListener("input", arrange);
  byId("split").addEventListener("input", () => {
    for (const frame of document.querySelectorAll(".frame[style]")) frame.removeAttribute("style");
    root.style.setProperty("--split", `${100 - byId("split").value}%`);
  });
  byId("cards").addEventListener("pointermove", moveSplit);
  byId("cards").addEventListener("click", (event) => {
    const card = event.target.closest(".frame")?.closest(".card");
    if (card) viewer.open(card.dataset.name);
  });
  addEventListener("beforeprint", () => {
    for (const image of document.images) image.loading = "eager";
  });
}

function listenToViewer() {
  const actions = {
    before: () => viewer.step(-1), next: () => viewer.step(1), close: () => viewer.dialog.close(),
    in: () => viewer.zoom(1.5), out: () => viewer.zoom(1 / 1.5), fit: () => viewer.fit(),
  };
  for (const [id, act] of Object.entries(actions)) byId(id).addEventListener("click", act);
  for (const radio of document.querySelectorAll("input[name=result]")) radio.addEventListener("change", () => viewer.draw());
  for (const id of ["outlines", "bright"]) byId(id).addEventListener("input", () => viewer.draw());
  for (const id of ["divide", "blend"]) byId(id).addEventListener("input", () => viewer.place());
  addEventListener("resize", () => { if (viewer.dialog.open && viewer.image) viewer.fit(); });
  viewer.dialog.addEventListener("keydown", onKey);
  listenToPointer(byId("stage"));
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const isControl = /^(SELECT|INPUT)$/.test(event.target.tagName);
  const divide = (by) => viewer.divide(byId("stage").clientWidth * (Number(byId("divide").value) + by) / 100);
  const actions = {
    ArrowLeft: () => viewer.step(-1), ArrowRight: () => viewer.step(1),
    "+": () => viewer.zoom(1.5), "=": () => viewer.zoom(1.5), "-": () => viewer.zoom(1 / 1.5),
    "0": () => viewer.fit(), ",": () => divide(-5), ".": () => divide(5), o: () => byId("outlines").click(),
  };
  const act = actions[event.key];
  if (!act || (isControl && event.key.startsWith("Arrow"))) return;
  event.preventDefault();
  act();
}

function listenToPointer(stage) {
  let drag = null;
  stage.addEventListener("wheel", (event) => {
    event.preventDefault();
    const box = stage.getBoundingClientRect();
    viewer.zoom(Math.exp(-event.deltaY / 400), event.clientX - box.left, event.clientY - box.top);
  }, { passive: false });
  stage.addEventListener("pointerdown", (event) => {
    drag = { kind: event.target.id === "line" ? "line" : "image", x: event.clientX - viewer.x, y: event.clientY - viewer.y };
    stage.setPointerCapture(event.pointerId);
  });
  stage.addEventListener("pointermove", (event) => {
    if (!drag) return viewer.point(event);
    if (drag.kind === "line") return viewer.divide(event.clientX - stage.getBoundingClientRect().left);
    viewer.x = event.clientX - drag.x;
    viewer.y = event.clientY - drag.y;
    return viewer.place();
  });
  for (const end of ["pointerup", "pointercancel"]) stage.addEventListener(end, () => { drag = null; });
}

nameTheFolder();
setTheme(remembered.get("theme") || "");
listenToPage();
listenToViewer();
if (remembered.get("safe")) setPalette(true);
