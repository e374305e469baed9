// The page follows the news by itself, but never moves what a finger is about to touch.
(function () {
  "use strict";
  var CALM = 1500;            // milliseconds without touching before the board may change
  var touched = 0, down = false, waiting = null, before = null;

  function now() { return Date.now(); }
  function touching() { return down || now() - touched < CALM; }
  function overButton(e) { return e.target.closest && e.target.closest("#main button, #main a, #main input, #main select, #main summary"); }

  addEventListener("pointerdown", function () { down = true; touched = now(); });
  ["pointerup", "pointercancel"].forEach(function (name) {
    addEventListener(name, function () { down = false; touched = now(); });
  });
  addEventListener("pointermove", function (e) { if (overButton(e)) touched = now(); });
  addEventListener("keydown", function (e) { if (overButton(e)) touched = now(); });

  // What somebody folded or unfolded stays so when the news comes.
  var folded = {};
  addEventListener("click", function (e) {
    var summary = e.target.closest && e.target.closest("#main details[data-keep] > summary");
    if (summary) folded[summary.parentNode.id] = !summary.parentNode.open;
  });
  function fold() {
    Object.keys(folded).forEach(function (id) { var d = document.getElementById(id); if (d) d.open = folded[id]; });
  }

  // A form that is being filled in stays; only what stands around it follows the news.
  function filling() {
    return document.querySelector("#main details[open] form, #main form details[open]")
      || (document.activeElement && document.activeElement.closest("#main form input, #main form select"));
  }
  function around(e) {
    var fresh = new DOMParser().parseFromString(e.detail.serverResponse, "text/html");
    ["now", "aside", "clock", "glance"].forEach(function (id) {
      var old = document.getElementById(id), its = fresh.getElementById(id);
      if (old && its) old.replaceWith(document.importNode(its, true));
    });
  }

  function byRefresh(e) { return e.detail.requestConfig && e.detail.requestConfig.elt.id === "refresh"; }
  function ids() { return new Set(Array.from(document.querySelectorAll(".ticket"), function (t) { return t.id; })); }

  document.addEventListener("htmx:beforeSwap", function (e) {
    if (e.detail.xhr.status >= 400) {  // why a button did nothing is shown; news that did not come leaves what is there
      if (byRefresh(e)) return lost(true);
      e.detail.shouldSwap = true;
      e.detail.isError = false;
      return;
    }
    if (byRefresh(e) && filling()) {
      e.detail.shouldSwap = false;
      around(e);
      return;
    }
    if (byRefresh(e) && touching()) {
      e.detail.shouldSwap = false;
      clearTimeout(waiting);
      waiting = setTimeout(function () { htmx.trigger("#refresh", "refresh"); }, CALM);
      return;
    }
    before = ids();
  });
  document.addEventListener("htmx:afterSwap", function () {
    fold();
    if (!before) return;
    document.querySelectorAll(".ticket").forEach(function (t) { if (!before.has(t.id)) t.classList.add("fresh"); });
    before = null;
  });

  function lost(yes) { var p = document.getElementById("lost"); if (p) p.hidden = !yes; }
  document.addEventListener("htmx:sseOpen", function () { lost(false); htmx.trigger("#refresh", "refresh"); });
  document.addEventListener("htmx:sseError", function () { lost(true); });
  document.addEventListener("htmx:sendError", function () { lost(true); });
  document.addEventListener("htmx:afterRequest", function (e) { if (e.detail.successful) lost(false); });
})();
