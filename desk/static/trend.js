// Draws a point's history with uPlot; without script the page has its own drawing and a table.
(function () {
  "use strict";
  var plot = null, box = null, drawn = "", tip = null;

  function color(name) { return getComputedStyle(document.documentElement).getPropertyValue(name).trim() || "#777"; }
  function faint(name) { return "color-mix(in srgb, " + color(name) + " 22%, transparent)"; }

  function columns(d) {
    if (!d.words.length) return [d.times, d.means].concat(d.lows.length ? [d.highs, d.lows] : []);
    return [d.times, d.words.map(function (w) { return w.length ? w[0] : null; })];
  }

  // What is drawn holds all values, and the limits that are near them.
  function range(d) {
    if (d.words.length) return [-0.5, d.names.length - 0.5];
    var all = (d.lows.length ? d.lows.concat(d.highs) : d.means).filter(function (v) { return v !== null; });
    if (!all.length) return [0, 1];
    var low = Math.min.apply(null, all), high = Math.max.apply(null, all), room = (high - low) || Math.abs(high) * 0.02 || 1;
    var from = low, to = high;
    d.limits.forEach(function (l) {
      if (l.value >= low - 2 * room && l.value <= high + 2 * room) { from = Math.min(from, l.value); to = Math.max(to, l.value); }
    });
    var edge = ((to - from) || room) * 0.08;
    return [from - edge, to + edge];
  }

  function limits(d) {
    return function (u) {
      var c = u.ctx, area = u.bbox;
      c.save();
      c.strokeStyle = c.fillStyle = color("--l1");
      c.setLineDash([6, 4]);
      c.textAlign = "left";
      c.textBaseline = "alphabetic";
      c.font = 12 * devicePixelRatio + "px system-ui, sans-serif";
      d.limits.forEach(function (l) {
        if (l.value < u.scales.y.min || l.value > u.scales.y.max) return;
        var y = u.valToPos(l.value, "y", true);
        c.beginPath(); c.moveTo(area.left, y); c.lineTo(area.left + area.width, y); c.stroke();
        c.fillText(l.text + " " + l.value + (d.unit ? " " + d.unit : ""), area.left + 6, y - 4 * devicePixelRatio);
      });
      c.restore();
    };
  }

  function times(d) {
    var tag = d.lang === "zh" ? "zh-CN" : "en-GB", long = d.end - d.start;
    function writer(parts) { if (d.zone) parts.timeZone = d.zone; return new Intl.DateTimeFormat(tag, parts); }
    var axis = writer(long <= 90000 ? { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }
      : long < 100 * 86400 ? { month: "short", day: "numeric" } : { year: "numeric", month: "short" });
    var whole = writer({ year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
    return { axis: function (t) { return axis.format(t * 1000); }, whole: function (t) { return whole.format(t * 1000); } };
  }

  function text(d, i) {
    if (d.words.length) return d.words[i].map(function (w) { return d.names[w]; }).join(" / ") || "–";
    if (d.means[i] === null) return "–";
    var s = +d.means[i].toPrecision(6) + (d.unit ? " " + d.unit : "");
    return d.lows.length && d.lows[i] !== null ? s + " (" + d.lows[i] + " – " + d.highs[i] + ")" : s;
  }

  function options(d) {
    var said = times(d), line = color("--press"), soft = color("--soft"), grid = { stroke: color("--line"), width: 1 };
    var series = [{}, { stroke: line, width: 1.5, spanGaps: false, points: { show: d.times.length < 100 } }];
    if (d.words.length) series[1].paths = uPlot.paths.stepped({ align: 1 });
    if (d.lows.length) series.push({ stroke: faint("--press"), width: 1 }, { stroke: faint("--press"), width: 1 });
    var upright = { stroke: soft, grid: grid, size: d.words.length ? 90 : 64, values: function (u, at) {
      return at.map(function (v) { return d.words.length ? (d.names[v] || "") : v + (d.unit ? " " + d.unit : ""); });
    } };
    if (d.words.length) upright.splits = function () { return d.names.map(function (_, i) { return i; }); };
    return {
      width: box.clientWidth, height: box.clientHeight, series: series, legend: { show: false },
      bands: d.lows.length ? [{ series: [2, 3], fill: faint("--press") }] : [],
      scales: { x: { time: true, range: [d.start, d.end] }, y: { range: range(d) } },
      tzDate: function (t) { return d.zone ? uPlot.tzDate(new Date(t * 1000), d.zone) : new Date(t * 1000); },
      axes: [
        { stroke: soft, grid: grid, values: function (u, at) { return at.map(said.axis); }, space: 70 },
        upright,
      ],
      hooks: {
        draw: [limits(d)],
        setCursor: [function (u) {
          var i = u.cursor.idx;
          tip.textContent = i === null || i === undefined ? "" : said.whole(d.times[i]) + "  " + text(d, i);
        }],
      },
    };
  }

  function draw(d) {
    if (!d.times.length) return;
    var began = performance.now();
    if (plot) plot.destroy();
    box.textContent = "";
    tip = document.createElement("div");
    tip.className = "trend-tip";
    box.appendChild(tip);
    plot = new uPlot(options(d), columns(d), box);
    box.dataset.drawn = String(d.times.length);
    requestAnimationFrame(function () { box.dataset.ms = (performance.now() - began).toFixed(1); });
  }

  function look() {
    var found = document.querySelector(".trend-plot");
    if (!found) return;
    if (found !== box) { box = found; plot = null; drawn = ""; }
    fetch(box.dataset.from, { credentials: "same-origin" }).then(function (r) { return r.ok ? r.text() : ""; }).then(function (raw) {
      if (!raw || raw === drawn) return;
      drawn = raw;
      draw(JSON.parse(raw));
    }).catch(function (e) { console.error("trend: " + e); });
  }

  document.addEventListener("htmx:afterSwap", look);
  addEventListener("resize", function () { if (plot) plot.setSize({ width: box.clientWidth, height: box.clientHeight }); });
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", look); else look();
})();
