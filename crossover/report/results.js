// The page of results. It computes nothing: values, shares and percentiles are in the data, and it selects them.
"use strict";

(() => {
  const { data: all, byId, number, element, swatch, colour } = Report;
  const data = all.results;
  const measures = Object.fromEntries(data.measures.map((each) => [each.name, each]));
  const PICTURE = { width: 1280, height: 760 };
  const AXIS_HEIGHT = 60; // px, for the axis below the strips
  const STYLES = {
    "warm": { symbol: "diamond", size: 7, colour: "blue", line: 0, opacity: 0.6 },
    "cold in the load": { symbol: "circle", size: 11, colour: "vermillion", line: 0, opacity: 0.85 },
    "cold, forced": { symbol: "circle-open", size: 11, colour: "vermillion", line: 2.2, opacity: 1 },
  };

  function state() {
    return { measure: measures[byId("measure").value], isLog: byId("values-log").checked };
  }

  const withValues = (now) => data.variants.filter((variant) => now.measure.name in variant.values);
  const axis = (now) => ({
    type: now.isLog ? "log" : "linear", ...(now.isLog ? { dtick: "D2", minor: { dtick: "D1" } } : { rangemode: "tozero" }),
    tickformat: document.body.clientWidth < 640 ? "~s" : ",~r", title: { text: unitOf(now), standoff: 8 },
  });
  const unitOf = ({ measure, isLog }) => `${measure.unit || measure.name}${isLog ? ", logarithmic" : ""}`;
  const says = (value, now) => `${number(value)} ${now.measure.unit}`;

  // Shared by the charts here: size, small text on a phone, space for text in a picture.
  function sizes(chart, margin) {
    const isNarrow = chart.clientWidth < 640;
    const size = Report.wantedImage ? PICTURE : { width: chart.clientWidth, height: chart.clientHeight };
    return { ...size, margin: { l: isNarrow ? 62 : 80, r: isNarrow ? 12 : 24, t: 12, b: 52, ...margin }, font: { size: isNarrow ? 12 : 14 }, hovermode: "closest" };
  }

  // ---- every request

  function drawStrip(now) {
    const chart = byId("strip");
    const variants = data.variants;
    const middle = (index) => variants.length - 1 - index;
    const traces = variants.flatMap((variant, index) => Object.entries(STYLES).map(([kind, style]) => strip(now, variant, middle(index), kind, style)));
    const pictured = Boolean(Report.wantedImage);
    const layout = Report.look({
      ...sizes(chart, { l: 12, t: pictured ? 84 : 6, b: pictured ? 92 : 52 }),
      xaxis: axis(now),
      yaxis: { range: [-0.5, variants.length - 0.5], showticklabels: false, ticks: "", showgrid: false },
      shapes: variants.slice(1).map((_, index) => ({ type: "line", xref: "paper", x0: 0, x1: 1, y0: middle(index) - 0.5, y1: middle(index) - 0.5, line: { color: colour("rule"), width: 1 } })),
      annotations: [...variants.map((variant, index) => ({
        xref: "paper", x: 0, xanchor: "left", y: middle(index) + 0.5, yanchor: "top", showarrow: false, xshift: 2, align: "left",
        text: `<b>${variant.title}</b>`, bgcolor: colour("paper"),
      })), ...(pictured ? words(now) : [])],
    });
    if (!pictured) layout.height = AXIS_HEIGHT + (Report.printing.matches ? 100 : 150) * variants.length;
    chart.style.height = `${layout.height}px`;
    const notes = variants.map((variant) => `${variant.name}: ${variant.notes[now.measure.name] ?? "no value"}`);
    byId("strip-state").textContent = `Shown: ${now.measure.title}. ${notes.join("; ")}. Up and down within a strip means nothing.`;
    return Plotly.react(chart, traces, layout, Report.config);
  }

  function strip(now, variant, middle, kind, style) {
    const values = variant.values[now.measure.name] ?? [];
    const chosen = [...values.keys()].filter((index) => variant.kinds[index] === kind && values[index] !== null);
    return {
      type: "scatter", mode: "markers", name: `${variant.name} ${kind}`,
      x: chosen.map((index) => values[index]), y: chosen.map((index) => middle - 0.08 + 0.6 * variant.places[index]),
      text: chosen.map((index) => `<b>${says(values[index], now)}</b><br>${variant.title}, ${kind}<br>${variant.files[index]}<br>${variant.phases[index]} ${variant.numbers[index]}`),
      hoverinfo: "text",
      marker: { symbol: style.symbol, size: style.size, color: colour(style.colour), opacity: style.opacity, line: { color: colour(style.colour), width: style.line } },
    };
  }

  // A picture has no page around it, so the chart has its own title.
  function words(now) {
    const common = { xref: "paper", yref: "paper", showarrow: false, xanchor: "left", align: "left", x: 0 };
    const { title } = now.measure;
    return [
      { ...common, y: 1, yanchor: "bottom", yshift: 44, text: `<b>Every request</b>, ${title}`, font: { size: 20 } },
      { ...common, y: 1, yanchor: "bottom", yshift: 14, text: `<span style="color:${colour("blue")}">◆ warm</span>   <span style="color:${colour("vermillion")}">● cold in the load   ○ cold, forced</span>` },
      { ...common, y: 0, yanchor: "top", yshift: -52, text: data.caption.match(/.{1,170}(\s|$)/g).join("<br>"), font: { size: 12, color: colour("quiet") } },
    ];
  }

  // ---- distribution and percentiles

  function drawDistribution(now) {
    const chart = byId("distribution");
    const traces = withValues(now).flatMap((variant) => ["warm", "cold"].map((kind) => {
      const curve = variant.curves[now.measure.name][kind];
      return {
        type: "scatter", mode: kind === "cold" ? "lines+markers" : "lines", name: `${variant.name} ${kind}`, x: curve.x, y: curve.y,
        text: curve.x.map((value, index) => `<b>${variant.title}, ${kind}</b><br>${number(100 * curve.y[index])} % take no more than ${says(value, now)}`),
        hoverinfo: "text", line: { color: colour(variant.colour), dash: variant.dash, width: kind === "cold" ? 1.5 : 2.5, shape: "hv" },
        marker: { symbol: "circle-open", size: 8, color: colour(variant.colour) },
      };
    }));
    const layout = Report.look({ ...sizes(chart), xaxis: axis(now), yaxis: { range: [0, 1.02], tickformat: ".0%", title: { text: "share of requests", standoff: 8 } } });
    byId("distribution-key").replaceChildren(...key(withValues(now)));
    return Plotly.react(chart, traces, layout, Report.config);
  }

  function drawPercentiles(now) {
    const chart = byId("percentiles");
    const shown = withValues(now);
    const traces = shown.flatMap((variant) => {
      const { x, y, points, shape } = variant.curves[now.measure.name].percentiles;
      const shared = { type: "scatter", hoverinfo: "text", line: { color: colour(variant.colour), dash: variant.dash, width: 2.2, shape } };
      return [
        { ...shared, mode: "lines", name: variant.name, x, y, text: y.map((value) => `<b>${variant.title}</b><br>${says(value, now)}`) },
        {
          ...shared, mode: "markers", name: `${variant.name} figures`, x: points.map((each) => each.x), y: points.map((each) => each.value),
          text: points.map((each) => `<b>${variant.title}, ${each.name}</b><br>${says(each.value, now)}${each.low === null ? "" : `<br>${number(each.low)} to ${says(each.high, now)}`}`),
          marker: { size: 8, color: colour("paper"), line: { color: colour(variant.colour), width: 2.2 } },
          error_y: { type: "data", symmetric: false, array: points.map((each) => (each.high ?? each.value) - each.value), arrayminus: points.map((each) => each.value - (each.low ?? each.value)), color: colour(variant.colour), thickness: 1.3, width: 4 },
        },
      ];
    });
    const last = Math.max(...shown.flatMap((variant) => variant.curves[now.measure.name].percentiles.x), 2);
    const layout = Report.look({
      ...sizes(chart),
      xaxis: { range: [-0.03, last * 1.03], tickvals: data.percentiles.map((each) => each.at), ticktext: data.percentiles.map((each) => each.text), tickangle: 0, title: { text: "percentile", standoff: 8 } },
      yaxis: axis(now),
    });
    const kinds = { together: "warm and cold together at the load's cold share", warm: "warm only", cold: "cold only" };
    byId("percentiles-state").textContent = `Rings: median, p95 and p99 with their 95 % intervals. ${shown.map((variant) => `${variant.name}: ${kinds[variant.curves[now.measure.name].percentiles.kind]}`).join("; ")}.`;
    return Plotly.react(chart, traces, layout, Report.config);
  }

  function key(variants) {
    return variants.map((variant) => element("span", { class: "key" }, swatch(variant), ` ${variant.title}\u2003`));
  }

  // ---- concurrency

  function drawConcurrency(now) {
    const places = { throughput: byId("throughput"), latency: byId("concurrent-latency") };
    if (!places.throughput) return [];
    const variants = data.variants.filter((variant) => variant.name in data.steps);
    byId("concurrency-key").replaceChildren(...key(variants));
    const line = (variant, rows, y, text, more = {}) => ({
      type: "scatter", mode: "lines+markers", name: variant.name, x: rows.map((row) => row.concurrency), y, text, hoverinfo: "text",
      line: { color: colour(variant.colour), dash: variant.dash, width: 2.2 }, marker: { size: 8, color: colour(variant.colour) }, ...more,
    });
    const rates = variants.map((variant) => {
      const rows = data.steps[variant.name];
      return line(variant, rows, rows.map((row) => row.per_second), rows.map((row) => `<b>${variant.title}</b><br>${number(row.per_second)} requests a second<br>${row.concurrency} at once, ${row.requests} requests`));
    });
    const latencies = variants.flatMap((variant) => {
      const rows = data.steps[variant.name];
      const of = (figure) => rows.map((row) => row.latency_ms[figure].value);
      const hover = (figure) => rows.map((row) => `<b>${variant.title}, ${figure}</b><br>${number(row.latency_ms[figure].value)} ms<br>${row.concurrency} at once, ${row.requests} requests`);
      const far = (side, sign) => rows.map(({ latency_ms: { median } }) => sign * ((median[side] ?? median.value) - median.value));
      return [
        line(variant, rows, of("median"), hover("median"), { error_y: { type: "data", symmetric: false, array: far("high", 1), arrayminus: far("low", -1), color: colour(variant.colour), thickness: 1.3, width: 4 } }),
        line(variant, rows, of("p99"), hover("p99"), { name: `${variant.name} p99`, line: { color: colour(variant.colour), dash: "dot", width: 1.5 }, marker: { symbol: "diamond-open", size: 8, color: colour(variant.colour) } }),
      ];
    });
    const steps = [...new Set(variants.flatMap((variant) => data.steps[variant.name].map((row) => row.concurrency)))];
    const xaxis = { tickvals: steps, title: { text: "requests at once", standoff: 8 } };
    const draw = (chart, traces, yaxis) => Plotly.react(chart, traces, Report.look({ ...sizes(chart), xaxis, yaxis }), Report.config);
    const inTime = axis({ ...now, measure: measures.latency_ms });
    return [
      draw(places.throughput, rates, { rangemode: "tozero", title: { text: "requests a second", standoff: 8 } }),
      draw(places.latency, latencies, inTime),
    ];
  }

  function draw() {
    const now = state();
    return Promise.all([drawStrip(now), drawDistribution(now), drawPercentiles(now), ...drawConcurrency(now)]);
  }

  if (!data.measures.length) {
    byId("strip-state").textContent = "Nothing succeeded, so there is nothing to draw.";
    for (const name of ["strip", "distribution", "percentiles"]) byId(name).hidden = true;
    return;
  }
  for (const { name, title } of data.measures) byId("measure").append(element("option", { value: name }, title));
  byId("shown").addEventListener("change", () => draw());
  byId("shown").addEventListener("submit", (event) => event.preventDefault());
  Report.redrawOnChange(draw);
  Report.whenDrawn(byId("strip"), draw(), PICTURE);
})();
