// The page of costs. It counts nothing: every position of the levers has its lines and crossings in the data.
"use strict";

(() => {
  const { data, byId, number, usd, element, row, swatch, colour } = Report;
  const chart = byId("chart");
  const levers = { racer: byId("racer"), tier: byId("tier"), cold: byId("cold"), traffic: byId("traffic") };
  const hidden = new Set(data.variants.filter((each) => !each.shown).map((each) => each.name)); // whose line is switched off
  const [base] = data.grids;
  const variants = Object.fromEntries(data.variants.map((variant) => [variant.name, variant]));
  const tiers = Object.fromEntries(data.tiers.map((tier) => [tier.id, tier]));

  function state() {
    const tier = tiers[levers.tier.value];
    const cold = Number(levers.cold.value);
    return {
      racer: levers.racer.value,
      tier,
      cold,
      traffic: Number(levers.traffic.value),
      isLog: byId("scale-log").checked,
      race: data.races[`${levers.racer.value} ${tier.id}`][cold],
      bands: data.bands[cold],
    };
  }

  // The lines of this position: {variant, title, curve, racing}. Where a variant has several tiers, the chosen one or its first.
  function lines(now) {
    const found = [];
    for (const variant of data.variants) {
      const own = data.tiers.filter((tier) => tier.variant === variant.name);
      const tier = own.find((each) => each.id === now.tier.id) ?? own[0];
      const racing = variant.name === now.racer || variant.name === now.tier.variant;
      const curve = data.curves[data.lines[tier ? tier.id : variant.name][now.cold]];
      found.push({ variant, title: tier ? tier.title : variant.title, short: tier ? tier.short : variant.short, curve, racing, grid: data.grids[curve.grid] });
    }
    return found.sort((one, other) => one.racing - other.racing); // the racing ones on top
  }

  const causes = { meet: "the lines meet", machine: "one machine more", limit: "a limit is reached" };
  const rpmText = (value) => `${number(value)} ${value === 1 ? "request" : "requests"} a minute`;

  function draw() {
    const now = state();
    const all = lines(now);
    byId("verdict").textContent = now.race.verdict;
    byId("now").textContent = now.race.now;
    const coldText = data.colds[now.cold].label;
    byId("cold-value").textContent = coldText;
    levers.cold.setAttribute("aria-valuetext", coldText);
    const trafficText = `${rpmText(base.rpm[now.traffic])}, ${number(base.requests[now.traffic])} a month`;
    byId("traffic-value").textContent = trafficText;
    levers.traffic.setAttribute("aria-valuetext", trafficText);
    byId("state").textContent =
      `Shown: ${variants[now.racer].title} against ${now.tier.title}; cold-start share: ${coldText}; ` +
      `${now.isLog ? "logarithmic" : "linear"} axes. The dotted vertical line stands at ${rpmText(base.rpm[now.traffic])}.`;
    listCrossings(now);
    listBands(now);
    listReadout(now, all);
    return drawChart(now, all.filter((line) => line.racing || !hidden.has(line.variant.name)));
  }

  // ---- tables

  function table(caption, headings, rows) {
    const head = element("tr", {}, ...headings.map(([text, kind]) => element("th", { scope: "col", class: kind }, text)));
    return element("table", {}, element("caption", {}, caption), element("thead", {}, head), element("tbody", {}, ...rows));
  }

  function listCrossings(now) {
    const output = byId("crossings");
    Object.assign(output.dataset, { racer: now.racer, tier: now.tier.id, coldShare: data.colds[now.cold].value ?? "", count: now.race.crossings.length });
    const names = [variants[now.racer].title, now.tier.title];
    const rows = now.race.crossings.map((crossing, index) =>
      row(`${number(crossing.rpm)}`, [
        number(crossing.requests),
        usd(crossing.usd),
        element("span", {}, names[crossing.above] ?? "neither"),
        element("span", {}, causes[crossing.cause]),
      ], { "data-index": index, "data-requests": crossing.requests, "data-rpm": crossing.rpm, "data-usd": crossing.usd ?? "", "data-cause": crossing.cause, "data-cheaper-above": ["racer", "tier"][crossing.above] ?? "neither" }));
    const headings = [["requests a minute", ""], ["a month", "number"], ["USD a month", "number"], ["cheaper from here", ""], ["because", ""]];
    output.replaceChildren(rows.length
      ? table(`${names[0]} and ${names[1]}, ${data.range}`, headings, rows)
      : element("p", { class: "quiet" }, `They do not cross, ${data.range}.`));
  }

  function listBands(now) {
    const captions = { candidates: `Among ${data.candidates}`, all: "Among all variants and machines on this page" };
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
      .map(({ variant, title, curve, at, racing }, index) => {
        const box = element("input", { type: "checkbox", id: `line-${variant.name}`, ...(racing ? { checked: "", disabled: "" } : hidden.has(variant.name) ? {} : { checked: "" }) });
        box.addEventListener("change", () => {
          if (box.checked) hidden.delete(variant.name);
          else hidden.add(variant.name);
          draw();
          byId(`line-${variant.name}`).focus();
        });
        const label = element("label", { class: "line-name" }, box, swatch(variant), element("span", {}, racing ? element("strong", {}, title) : title));
        const possible = curve.usd[at] !== null;
        return row(label, possible
          ? [usd(curve.usd[at]), usd(curve.perMillion[at]), curve.machines ? number(curve.machines[at]) : "–"]
          : ["not possible", "–", "–"],
        { "data-variant": variant.name, "data-usd": curve.usd[at] ?? "", "data-machines": curve.machines?.[at] ?? "", class: possible ? (index === 0 ? "best" : "") : "off" });
      });
    const headings = [["line", ""], ["USD a month", "number"], ["USD a million", "number"], ["machines", "number"]];
    byId("readout").replaceChildren(table("Cheapest first.", headings, rows));
  }

  // ---- the chart

  const last = (list) => list[list.length - 1];

  // The window that the axes show. On logarithmic axes all of it; on linear ones what lies around crossings and traffic.
  function view(now, drawn) {
    if (now.isLog) {
      const pair = drawn.filter((line) => line.racing);
      const lowest = Math.max(Math.min(...(pair.length ? pair : drawn).map((line) => line.curve.usd.find((value) => value !== null) ?? 1)), 0.01);
      const highest = Math.max(...drawn.map((line) => Math.max(...line.curve.usd)));
      return { x: [base.rpm[0], last(base.rpm)], y: [lowest / 1.5, highest * 1.5], ticks: data.ticks.log };
    }
    const interesting = Math.max(...now.race.crossings.map((crossing) => crossing.rpm).slice(0, 3), base.rpm[now.traffic]);
    const ticks = data.ticks.linear.find((each) => last(each).rpm >= 1.5 * interesting) ?? last(data.ticks.linear);
    const to = last(ticks).rpm;
    const within = (line) => Math.max(...line.curve.usd.filter((value, index) => line.grid.rpm[index] <= to));
    const racing = drawn.filter((line) => line.racing);
    return { x: [0, to], y: [0, 1.15 * Math.min(...(racing.length ? racing : drawn).map(within)) * 1.6], ticks };
  }

  function drawChart(now, drawn) {
    const isNarrow = chart.clientWidth < 640;
    const seen = view(now, drawn);
    const scale = (value) => (now.isLog ? Math.log10(value) : value); // annotations want the exponent
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
      shapes: [...winners(now, seen), trafficLine(now)],
      annotations: [...names(now, drawn, seen, scale, isNarrow, size, margin), ...crossingLabels(now, seen, scale, isNarrow), ...(isNarrow ? [] : [trafficName(now, scale)]), ...words(now)],
    });
    const traces = [...drawn.map((line) => trace(line)), crossingMarks(now)];
    return Plotly.react(chart, traces, layout, Report.config);
  }

  function trace({ variant, title, curve, grid, racing }) {
    const text = curve.usd.map((value, index) =>
      `<b>${title}</b><br>${usd(value)} USD a month<br>${usd(curve.perMillion[index])} USD a million<br>` +
      (curve.machines ? `${number(curve.machines[index])} ${curve.machines[index] === 1 ? "machine" : "machines"}<br>` : "") +
      `${rpmText(grid.rpm[index])}<br>${number(grid.requests[index])} a month`);
    return {
      type: "scatter", mode: "lines", name: variant.name, x: grid.rpm, y: curve.usd, text, hoverinfo: "text", connectgaps: false,
      opacity: racing ? 1 : 0.55, line: { color: colour(variant.colour), dash: variant.dash, width: racing ? 3.5 : 1.75 },
    };
  }

  function crossingMarks(now) {
    const found = now.race.crossings;
    return {
      type: "scatter", mode: "markers", name: "crossings", cliponaxis: false,
      x: found.map((crossing) => crossing.rpm), y: found.map((crossing) => crossing.usd),
      text: found.map((crossing) => `<b>${rpmText(crossing.rpm)}</b><br>${number(crossing.requests)} a month<br>${usd(crossing.usd)} USD a month`),
      hoverinfo: "text",
      marker: { size: found.map((_, index) => (labelled(found).includes(index) ? 13 : 8)), color: colour("paper"), line: { color: colour("ink"), width: 2.5 } },
    };
  }

  // Which crossings get a label: all where they are few, else the first and the last.
  const labelled = (found) => (found.length <= 2 ? [...found.keys()] : [0, found.length - 1]);

  function crossingLabels(now, seen, scale, isNarrow) {
    const found = now.race.crossings;
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

  // A ribbon at the foot of the plot: which of the two is cheaper there.
  function winners(now, seen) {
    const colours = [variants[now.racer].colour, variants[now.tier.variant].colour].map(colour);
    const edges = [seen.x[0], ...now.race.crossings.map((crossing) => Math.min(crossing.rpm, seen.x[1])), seen.x[1]];
    const cheapest = [now.race.first, ...now.race.crossings.map((crossing) => crossing.above)];
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
      .filter((line) => !isNarrow || line.racing)
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
      text: `<span style="color:${colour(end.variant.colour)}">▬</span> ${end.racing ? `<b>${end.short}</b>` : end.short}`,
      font: { color: colour(end.racing ? "ink" : "quiet"), size: isNarrow ? 12 : 13.5 },
      ...(isNarrow ? { bgcolor: colour("paper"), opacity: 0.9 } : {}),
    }));
  }

  // In a picture, which has no page around it, the chart says itself what it shows.
  function words(now) {
    if (!Report.wantedImage) return [];
    const common = { xref: "paper", yref: "paper", showarrow: false, xanchor: "left", align: "left", x: 0, xshift: -60 };
    return [
      { ...common, y: 1, yanchor: "bottom", yshift: 24, text: now.race.verdict.match(/.{1,95}(\s|$)/g).map((each) => `<b>${each}</b>`).join("<br>"), font: { size: 20 } },
      { ...common, y: 0, yanchor: "top", yshift: -74, text: data.caption, font: { size: 12, color: colour("quiet") } },
    ];
  }

  // ---- levers

  function setUp() {
    for (const name of data.racers) levers.racer.append(element("option", { value: name }, variants[name].title));
    for (const group of new Set(data.tiers.map((tier) => tier.group))) {
      const options = data.tiers.filter((tier) => tier.group === group).map((tier) => element("option", { value: tier.id }, tier.short));
      levers.tier.append(element("optgroup", { label: group }, ...options));
    }
    levers.cold.max = data.colds.length - 1;
    levers.traffic.max = base.rpm.length - 1;
    for (const [name, value] of Object.entries(data.start)) levers[name].value = value;
    for (const lever of Object.values(levers)) lever.addEventListener("input", () => draw());
    for (const choice of document.querySelectorAll("input[name=scale]")) choice.addEventListener("change", () => draw());
    levers.racer.form.addEventListener("submit", (event) => event.preventDefault());
    Report.redrawOnChange(draw);
  }

  // A click anywhere in the plot sets the traffic to the nearest volume that the page has.
  function followClicks() {
    chart.addEventListener("click", (event) => {
      const { xaxis, _size: area } = chart._fullLayout;
      const rpm = xaxis.p2d(event.clientX - chart.getBoundingClientRect().left - area.l);
      const after = base.rpm.findIndex((each) => each >= rpm);
      levers.traffic.value = after < 0 ? base.rpm.length - 1 : after;
      draw();
    });
  }

  setUp();
  Report.whenDrawn(chart, draw().then(followClicks), { width: 1280, height: 760 });
})();
