// The cost page. It computes nothing: the data has the lines and break-even points of every position of the parameters.
"use strict";

(() => {
  const { data, byId, number, usd, element, row, swatch, colour } = Report;
  const chart = byId("chart");
  const parameters = { onDemand: byId("on-demand"), alwaysOn: byId("always-on"), cold: byId("cold"), traffic: byId("traffic") };
  const hidden = new Set(data.variants.filter((each) => !each.shown).map((each) => each.name)); // whose line is hidden
  const [base] = data.grids;
  const variants = Object.fromEntries(data.variants.map((variant) => [variant.name, variant]));
  const alwaysOn = Object.fromEntries(data.alwaysOn.map((each) => [each.id, each]));

  function state() {
    const compared = alwaysOn[parameters.alwaysOn.value];
    const cold = Number(parameters.cold.value);
    return {
      onDemand: parameters.onDemand.value,
      alwaysOn: compared,
      cold,
      traffic: Number(parameters.traffic.value),
      isLog: byId("scale-log").checked,
      pair: data.pairs[`${parameters.onDemand.value} ${compared.id}`][cold],
      bands: data.bands[cold],
    };
  }

  // The lines at this position; of a variant with several instance types, the chosen one or its first.
  function lines(now) {
    const found = [];
    for (const variant of data.variants) {
      const own = data.alwaysOn.filter((each) => each.variant === variant.name);
      const its = own.find((each) => each.id === now.alwaysOn.id) ?? own[0];
      const chosen = variant.name === now.onDemand || variant.name === now.alwaysOn.variant;
      const curve = data.curves[data.lines[its ? its.id : variant.name][now.cold]];
      found.push({ variant, title: its ? its.title : variant.title, short: its ? its.short : variant.short, curve, chosen, grid: data.grids[curve.grid] });
    }
    return found.sort((one, other) => one.chosen - other.chosen); // the chosen ones on top
  }

  const causes = { lines: "the lines meet", instance: "one more instance", limit: "a limit is reached" };
  const rpmText = (value) => `${number(value)} ${value === 1 ? "request" : "requests"} a minute`;

  function draw() {
    const now = state();
    const all = lines(now);
    byId("verdict").textContent = now.pair.verdict;
    byId("now").textContent = now.pair.now;
    const coldText = data.colds[now.cold].label;
    byId("cold-value").textContent = coldText;
    parameters.cold.setAttribute("aria-valuetext", coldText);
    const trafficText = `${rpmText(base.rpm[now.traffic])}, ${number(base.requests[now.traffic])} a month`;
    byId("traffic-value").textContent = trafficText;
    parameters.traffic.setAttribute("aria-valuetext", trafficText);
    byId("state").textContent =
      `Shown: ${variants[now.onDemand].title} against ${now.alwaysOn.title}; cold-start share: ${coldText}; ` +
      `${now.isLog ? "logarithmic" : "linear"} axes. The dotted vertical line stands at ${rpmText(base.rpm[now.traffic])}.`;
    listBreakEvens(now);
    listBands(now);
    listReadout(now, all);
    return drawChart(now, all.filter((line) => line.chosen || !hidden.has(line.variant.name)));
  }

  // ---- tables

  function table(caption, headings, rows) {
    const head = element("tr", {}, ...headings.map(([text, kind]) => element("th", { scope: "col", class: kind }, text)));
    return element("table", {}, element("caption", {}, caption), element("thead", {}, head), element("tbody", {}, ...rows));
  }

  function listBreakEvens(now) {
    const output = byId("break-evens");
    Object.assign(output.dataset, { onDemand: now.onDemand, alwaysOn: now.alwaysOn.id, coldShare: data.colds[now.cold].value ?? "", count: now.pair.breakEvens.length });
    const names = [variants[now.onDemand].title, now.alwaysOn.title];
    const rows = now.pair.breakEvens.map((point, index) =>
      row(`${number(point.rpm)}`, [
        number(point.requests),
        usd(point.usd),
        element("span", {}, names[point.above] ?? "neither"),
        element("span", {}, causes[point.cause]),
      ], { "data-index": index, "data-requests": point.requests, "data-rpm": point.rpm, "data-usd": point.usd ?? "", "data-cause": point.cause, "data-cheaper-above": ["on-demand", "always-on"][point.above] ?? "neither" }));
    const headings = [["requests a minute", ""], ["a month", "number"], ["USD a month", "number"], ["cheaper from here", ""], ["because", ""]];
    output.replaceChildren(rows.length
      ? table(`${names[0]} and ${names[1]}, ${data.range}`, headings, rows)
      : element("p", { class: "quiet" }, `They have no break-even point, ${data.range}.`));
  }

  function listBands(now) {
    const captions = { candidates: `Among ${data.candidates}`, all: "Among all variants and instances on this page" };
    const tables = Object.entries(captions).map(([kind, caption]) => {
        const rows = now.bands[kind].map((band) => row(band.text, [element("span", {}, band.title)],
          { "data-kind": kind, "data-keys": band.keys.join(" "), "data-lowest": band.lowest, "data-highest": band.highest }));
        return table(caption, [["requests a minute", ""], ["cheapest", ""]], rows);
      });
    byId("bands").replaceChildren(...tables);
  }

  function listReadout(now, all) {
    const rows = all
      .map((line) => ({ ...line, at: line.grid.rpm.indexOf(base.rpm[now.traffic]) }))
      .sort((one, other) => (one.curve.usd[one.at] ?? Infinity) - (other.curve.usd[other.at] ?? Infinity))
      .map(({ variant, title, curve, at, chosen }, index) => {
        const box = element("input", { type: "checkbox", id: `line-${variant.name}`, ...(chosen ? { checked: "", disabled: "" } : hidden.has(variant.name) ? {} : { checked: "" }) });
        box.addEventListener("change", () => {
          if (box.checked) hidden.delete(variant.name);
          else hidden.add(variant.name);
          draw();
          byId(`line-${variant.name}`).focus();
        });
        const label = element("label", { class: "line-name" }, box, swatch(variant), element("span", {}, chosen ? element("strong", {}, title) : title));
        const possible = curve.usd[at] !== null;
        return row(label, possible
          ? [usd(curve.usd[at]), usd(curve.perMillion[at]), curve.instances ? number(curve.instances[at]) : "–"]
          : ["not possible", "–", "–"],
        { "data-variant": variant.name, "data-usd": curve.usd[at] ?? "", "data-instances": curve.instances?.[at] ?? "", class: possible ? (index === 0 ? "best" : "") : "off" });
      });
    const headings = [["line", ""], ["USD a month", "number"], ["USD a million", "number"], ["instances", "number"]];
    byId("readout").replaceChildren(table("Cheapest first.", headings, rows));
  }

  // ---- the chart

  const last = (list) => list[list.length - 1];

  // The range of the axes: everything on logarithmic ones; around break-even points and traffic on linear ones.
  function view(now, drawn) {
    if (now.isLog) {
      const pair = drawn.filter((line) => line.chosen);
      const lowest = Math.max(Math.min(...(pair.length ? pair : drawn).map((line) => line.curve.usd.find((value) => value !== null) ?? 1)), 0.01);
      const highest = Math.max(...drawn.map((line) => Math.max(...line.curve.usd)));
      return { x: [base.rpm[0], last(base.rpm)], y: [lowest / 1.5, highest * 1.5], ticks: data.ticks.log };
    }
    const interesting = Math.max(...now.pair.breakEvens.map((point) => point.rpm).slice(0, 3), base.rpm[now.traffic]);
    const ticks = data.ticks.linear.find((each) => last(each).rpm >= 1.5 * interesting) ?? last(data.ticks.linear);
    const to = last(ticks).rpm;
    const within = (line) => Math.max(...line.curve.usd.filter((value, index) => line.grid.rpm[index] <= to));
    const chosen = drawn.filter((line) => line.chosen);
    return { x: [0, to], y: [0, 1.15 * Math.min(...(chosen.length ? chosen : drawn).map(within)) * 1.6], ticks };
  }

  function drawChart(now, drawn) {
    const isNarrow = chart.clientWidth < 640;
    const seen = view(now, drawn);
    const scale = (value) => (now.isLog ? Math.log10(value) : value); // annotations take the exponent
    const size = Report.wantedImage ? { width: 1280, height: 760 } : { width: chart.clientWidth, height: chart.clientHeight };
    const margin = { l: isNarrow ? 54 : 80, r: isNarrow ? 24 : 205, t: Report.wantedImage ? 112 : 16, b: (isNarrow ? 62 : 66) + (Report.wantedImage ? 46 : 0) };
    const layout = Report.look({
      ...size,
      margin,
      font: { size: isNarrow ? 12 : 14 },
      hovermode: "closest",
      xaxis: {
        type: now.isLog ? "log" : "linear",
        range: seen.x.map(scale),
        tickvals: seen.ticks.map((tick) => tick.rpm),
        ticktext: seen.ticks.map((tick) => `${tick.text}<br><span style="font-size:11px">${tick.month}</span>`),
        title: { text: "requests a minute, and a month", standoff: 8 },
      },
      yaxis: {
        type: now.isLog ? "log" : "linear",
        range: seen.y.map(scale),
        ...(now.isLog ? { tickvals: data.ticks.usd, ticktext: data.ticks.usd.map((value) => value.toLocaleString("en-US")) } : { tickformat: ",~r", nticks: 7 }),
        title: { text: "USD a month", standoff: 8 },
      },
      shapes: [...cheapestRibbon(now, seen), trafficLine(now)],
      annotations: [...names(now, drawn, seen, scale, isNarrow, size, margin), ...breakEvenLabels(now, seen, scale, isNarrow), ...(isNarrow ? [] : [trafficName(now, scale)]), ...words(now)],
    });
    const traces = [...drawn.map((line) => trace(line)), breakEvenMarks(now)];
    return Plotly.react(chart, traces, layout, Report.config);
  }

  function trace({ variant, title, curve, grid, chosen }) {
    const text = curve.usd.map((value, index) =>
      `<b>${title}</b><br>${usd(value)} USD a month<br>${usd(curve.perMillion[index])} USD a million<br>` +
      (curve.instances ? `${number(curve.instances[index])} ${curve.instances[index] === 1 ? "instance" : "instances"}<br>` : "") +
      `${rpmText(grid.rpm[index])}<br>${number(grid.requests[index])} a month`);
    return {
      type: "scatter", mode: "lines", name: variant.name, x: grid.rpm, y: curve.usd, text, hoverinfo: "text", connectgaps: false,
      opacity: chosen ? 1 : 0.55, line: { color: colour(variant.colour), dash: variant.dash, width: chosen ? 3.5 : 1.75 },
    };
  }

  function breakEvenMarks(now) {
    const found = now.pair.breakEvens;
    return {
      type: "scatter", mode: "markers", name: "break-even points", cliponaxis: false,
      x: found.map((point) => point.rpm), y: found.map((point) => point.usd),
      text: found.map((point) => `<b>${rpmText(point.rpm)}</b><br>${number(point.requests)} a month<br>${usd(point.usd)} USD a month`),
      hoverinfo: "text",
      marker: { size: found.map((_, index) => (labelled(found).includes(index) ? 13 : 8)), color: colour("paper"), line: { color: colour("ink"), width: 2.5 } },
    };
  }

  // The break-even points with a label: all where they are few, else the first and the last.
  const labelled = (found) => (found.length <= 2 ? [...found.keys()] : [0, found.length - 1]);

  function breakEvenLabels(now, seen, scale, isNarrow) {
    const found = now.pair.breakEvens;
    return labelled(found)
      .filter((index) => found[index].rpm <= seen.x[1] && found[index].usd <= seen.y[1])
      .map((index) => ({
        x: scale(found[index].rpm), y: scale(found[index].usd), ay: index === 0 ? -54 : 58,
        ax: index === 0 || found[index].rpm > (now.isLog ? seen.x[1] / 10 : 0.7 * seen.x[1]) ? -46 : 46,
        text: `<b>${number(found[index].rpm)} a minute</b><br>${usd(found[index].usd)} USD a month`,
        showarrow: true, arrowhead: 0, arrowwidth: 1.2, arrowcolor: colour("quiet"), standoff: 7,
        bgcolor: colour("paper"), bordercolor: colour("rule"), borderpad: 5, font: { size: isNarrow ? 12 : 15 },
      }));
  }

  // A band at the bottom of the plot: which of the two is cheaper there.
  function cheapestRibbon(now, seen) {
    const colours = [variants[now.onDemand].colour, variants[now.alwaysOn.variant].colour].map(colour);
    const edges = [seen.x[0], ...now.pair.breakEvens.map((point) => Math.min(point.rpm, seen.x[1])), seen.x[1]];
    const cheapest = [now.pair.first, ...now.pair.breakEvens.map((point) => point.above)];
    return cheapest
      .map((winner, index) => ({
        type: "rect", layer: "above", xref: "x", yref: "paper", x0: edges[index], x1: edges[index + 1], y0: 0, y1: 0.018,
        fillcolor: winner === null ? "rgba(0,0,0,0)" : colours[winner], opacity: 0.9, line: { width: 0 },
      }))
      .filter((shape) => shape.x1 > shape.x0);
  }

  function trafficLine(now) {
    const rpm = base.rpm[now.traffic];
    return { type: "line", xref: "x", yref: "paper", x0: rpm, x1: rpm, y0: 0, y1: 1, line: { color: colour("quiet"), width: 1.2, dash: "dot" } };
  }

  function trafficName(now, scale) {
    const rpm = base.rpm[now.traffic];
    return {
      xref: "x", yref: "paper", x: scale(rpm), y: 1, xanchor: "left", yanchor: "top", xshift: 3, showarrow: false,
      text: `${number(rpm)} a minute`, font: { color: colour("quiet"), size: 12 }, bgcolor: colour("paper"),
    };
  }

  // The lines' names at their right ends, moved apart where they would overlap.
  function names(now, drawn, seen, scale, isNarrow, size, margin) {
    const height = size.height - margin.t - margin.b;
    const gap = (isNarrow ? 17 : 19) / height;
    const [low, high] = seen.y.map(scale);
    const ends = drawn
      .filter((line) => !isNarrow || line.chosen)
      .map((line) => {
        const visible = line.curve.usd.map((value, index) => (value !== null && line.grid.rpm[index] <= seen.x[1] ? index : -1));
        const end = Math.max(...visible);
        return { ...line, at: end < 0 ? null : Math.min(1, Math.max(0, (scale(line.curve.usd[end]) - low) / (high - low))) };
      })
      .filter((line) => line.at !== null)
      .sort((one, other) => one.at - other.at);
    // Upwards from the lowest; then, if the topmost left the plot, downwards again.
    ends.forEach((end, index) => { end.place = index === 0 ? end.at : Math.max(end.at, ends[index - 1].place + gap); });
    for (let index = ends.length - 1, ceiling = 1; index >= 0; index -= 1, ceiling -= gap) ends[index].place = Math.min(ends[index].place, ceiling);
    return ends.map((end) => ({
      xref: "paper", yref: "paper", x: 1, y: end.place, xanchor: isNarrow ? "right" : "left", yanchor: isNarrow ? "bottom" : "middle",
      xshift: isNarrow ? -4 : 8, showarrow: false, align: "left",
      text: `<span style="color:${colour(end.variant.colour)}">▬</span> ${end.chosen ? `<b>${end.short}</b>` : end.short}`,
      font: { color: colour(end.chosen ? "ink" : "quiet"), size: isNarrow ? 12 : 13.5 },
      ...(isNarrow ? { bgcolor: colour("paper"), opacity: 0.9 } : {}),
    }));
  }

  // A picture has no page around it, so the chart has its own title.
  function words(now) {
    if (!Report.wantedImage) return [];
    const common = { xref: "paper", yref: "paper", showarrow: false, xanchor: "left", align: "left", x: 0, xshift: -60 };
    return [
      { ...common, y: 1, yanchor: "bottom", yshift: 24, text: now.pair.verdict.match(/.{1,95}(\s|$)/g).map((each) => `<b>${each}</b>`).join("<br>"), font: { size: 20 } },
      { ...common, y: 0, yanchor: "top", yshift: -74, text: data.caption, font: { size: 12, color: colour("quiet") } },
    ];
  }

  // ---- parameters

  function setUp() {
    for (const name of data.onDemand) parameters.onDemand.append(element("option", { value: name }, variants[name].title));
    for (const group of new Set(data.alwaysOn.map((each) => each.group))) {
      const options = data.alwaysOn.filter((each) => each.group === group).map((each) => element("option", { value: each.id }, each.short));
      parameters.alwaysOn.append(element("optgroup", { label: group }, ...options));
    }
    parameters.cold.max = data.colds.length - 1;
    parameters.traffic.max = base.rpm.length - 1;
    for (const [name, value] of Object.entries(data.start)) parameters[name].value = value;
    for (const parameter of Object.values(parameters)) parameter.addEventListener("input", () => draw());
    for (const choice of document.querySelectorAll("input[name=scale]")) choice.addEventListener("change", () => draw());
    parameters.onDemand.form.addEventListener("submit", (event) => event.preventDefault());
    Report.redrawOnChange(draw);
  }

  // A click anywhere in the plot sets the traffic to the nearest volume that the page has.
  function followClicks() {
    chart.addEventListener("click", (event) => {
      const { xaxis, _size: area } = chart._fullLayout;
      const rpm = xaxis.p2d(event.clientX - chart.getBoundingClientRect().left - area.l);
      const after = base.rpm.findIndex((each) => each >= rpm);
      parameters.traffic.value = after < 0 ? base.rpm.length - 1 : after;
      draw();
    });
  }

  setUp();
  Report.whenDrawn(chart, draw().then(followClicks), { width: 1280, height: 760 });
})();
