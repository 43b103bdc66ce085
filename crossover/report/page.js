// Shared by all pages: the data, number formats, the style of charts, pictures of them.
"use strict";

const Report = (() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);
  const printing = window.matchMedia("print");
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const wantedImage = document.documentElement.dataset.image; // "png" or "svg" where the page is opened for a picture

  const { mark } = document.documentElement.dataset;

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

  // Made once: creating a formatter takes a thousand times as long as using it.
  const digits = Array.from({ length: 21 }, (_, index) => new Intl.NumberFormat("en-US", { maximumSignificantDigits: index || 1 }));
  const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
  const cents = new Intl.NumberFormat("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });

  // Three significant digits, and never less than the whole number: 0.0612, 43.5, 1,234.
  function number(value) {
    if (value === null || value === undefined) return "–";
    return digits[value === 0 ? 1 : Math.min(Math.max(3, Math.floor(Math.log10(Math.abs(value))) + 1), 20)].format(value);
  }

  // Money with cents below 1,000 USD; with more digits where it is less than ten cents.
  function usd(value) {
    if (value === null || value === undefined) return "–";
    if (value >= 1000) return whole.format(value);
    return value >= 0.1 || value === 0 ? cents.format(value) : number(value);
  }

  function element(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  }

  // A row of a table, whose first cell is its heading; values that are not elements are numbers.
  function row(heading, cells, attributes = {}) {
    const others = cells.map((cell) =>
      cell instanceof Node ? element("td", {}, cell) : element("td", { class: "number" }, cell));
    return element("tr", attributes, element("th", { scope: "row" }, heading), ...others);
  }

  // A sample of a line, as the chart draws it.
  function swatch(style, width = 34) {
    const dashes = { solid: "", dash: "8 4", dot: "2 3", dashdot: "8 3 2 3", longdash: "13 4", longdashdot: "13 3 2 3" };
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const line = document.createElementNS("http://www.w3.org/2000/svg", "line");
    for (const [name, value] of Object.entries({ width, height: 10, class: "swatch", "aria-hidden": "true" })) svg.setAttribute(name, value);
    for (const [name, value] of Object.entries({ x1: 0, x2: width, y1: 5, y2: 5, stroke: `var(--${style.colour})`, "stroke-width": 3, "stroke-dasharray": dashes[style.dash] })) line.setAttribute(name, value);
    svg.append(line);
    return svg;
  }

  // A warning across a chart, so that a picture of it has it too.
  function marks(width) {
    if (!mark) return [];
    return [{
      xref: "paper", yref: "paper", x: 0.5, y: 0.5, text: `<b>${mark.split(/[,.:]/)[0].toUpperCase()}</b>`, name: "mark",
      showarrow: false, font: { size: Math.min(26, width / 24), color: colour("vermillion") }, opacity: 0.4, captureevents: false,
    }];
  }

  // The style that all charts share; `layout` has the rest.
  function look(layout) {
    const axis = { gridcolor: colour("rule"), linecolor: colour("quiet"), zeroline: false, ticks: "outside", tickcolor: colour("rule"), fixedrange: true };
    return {
      ...layout,
      paper_bgcolor: colour("paper"),
      plot_bgcolor: colour("paper"),
      font: { family: getComputedStyle(document.body).fontFamily, size: layout.font?.size ?? 14, color: colour("ink") },
      hoverlabel: { bgcolor: colour("panel"), bordercolor: colour("rule"), font: { color: colour("ink"), size: 14 }, align: "left" },
      showlegend: false,
      dragmode: false,
      xaxis: { ...axis, ...layout.xaxis },
      yaxis: { ...axis, ...layout.yaxis },
      annotations: [...(layout.annotations ?? []), ...marks(layout.width)],
    };
  }

  const config = { displayModeBar: false, displaylogo: false, responsive: false, showTips: false, doubleClick: false };

  // Draws again when what a chart depends on changes: the window's size, light or dark, paper.
  function redrawOnChange(draw) {
    let pending = 0;
    const soon = () => {
      cancelAnimationFrame(pending);
      pending = requestAnimationFrame(() => draw());
    };
    window.addEventListener("resize", soon);
    dark.addEventListener("change", soon);
    // Printing uses the state at the end of these events, so this cannot wait for the next frame.
    const onPaper = () => {
      for (const each of document.querySelectorAll("details")) each.open = true;
      draw();
    };
    window.addEventListener("beforeprint", onPaper);
    printing.addEventListener("change", () => (printing.matches ? onPaper() : draw()));
  }

  // Every script registers its charts; the first one of all is used for a picture.
  const drawings = [];
  function whenDrawn(chart, drawing, size) {
    drawings.push(wantedImage && !drawings.length ? drawing.then(() => leaveImage(chart, size)) : drawing);
  }
  document.addEventListener("DOMContentLoaded", async () => {
    await Promise.all(drawings);
    document.documentElement.dataset.ready = "";
  });

  // Leaves a picture of the chart in the page, for the command line to read.
  async function leaveImage(chart, size) {
    const url = await Plotly.toImage(chart, { format: wantedImage, scale: wantedImage === "png" ? 2 : 1, ...size });
    document.body.append(element("pre", { id: "image", hidden: "" }, url));
  }

  return { data, byId, number, usd, element, row, swatch, colour, look, config, redrawOnChange, whenDrawn, wantedImage, printing };
})();
