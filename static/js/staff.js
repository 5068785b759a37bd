// What a script adds to the team's lists: choosing several rows, and the keyboard. Every list can
// be read, narrowed and acted on without it. Single keys can be switched off (WCAG 2.1.4); the
// choice stays in this browser.
(() => {
  "use strict";

  const here = document;
  const closest = (event, what) => (event.target instanceof Element ? event.target.closest(what) : null);

  // ---- Choosing rows ------------------------------------------------------------------------

  const ROW_BOX = "[data-row] input[type=checkbox]";
  const recount = (board) => {
    const boxes = [...board.querySelectorAll(ROW_BOX)];
    const chosen = boxes.filter((box) => box.checked).length;
    for (const place of board.querySelectorAll("[data-chosen-count]")) {
      place.textContent = chosen.toLocaleString(here.documentElement.lang);
    }
    for (const all of board.querySelectorAll("[data-all]")) {
      all.checked = chosen > 0 && chosen === boxes.length;
      all.indeterminate = chosen > 0 && chosen < boxes.length;
    }
  };
  here.addEventListener("change", (event) => {
    const board = closest(event, "[data-board]");
    if (!board) return;
    if (event.target.matches("[data-all]")) {
      for (const box of board.querySelectorAll(ROW_BOX)) box.checked = event.target.checked;
    }
    recount(board);
  });

  // With Shift, all rows from the last one pressed to this one follow it.
  let last = null;
  function range(board, box, start) {
    const boxes = [...board.querySelectorAll(ROW_BOX)];
    const [from, to] = [boxes.indexOf(start), boxes.indexOf(box)].sort((a, b) => a - b);
    if (from < 0) return;
    for (const each of boxes.slice(from, to + 1)) each.checked = box.checked;
    recount(board);
  }
  here.addEventListener("click", (event) => {
    const board = closest(event, "[data-board]");
    if (!board || !event.target.matches(ROW_BOX)) return;
    if (event.shiftKey) range(board, event.target, last);
    last = event.target;
  });

  // ---- Panels: what opens is where the typing goes --------------------------------------------

  here.addEventListener(
    "toggle",
    (event) => {
      if (!event.target.open || !event.target.matches(".bulk-act, .views-keep")) return;
      event.target.querySelector("input:not([type=hidden]), select")?.focus();
    },
    true,
  );

  here.addEventListener("click", (event) => {
    if (closest(event, "[data-print]")) window.print();
  });

  // Filters that say nothing stay out of the address.
  here.addEventListener("htmx:configRequest", (event) => {
    if (!event.detail.elt.matches("form[data-auto]")) return;
    const given = event.detail.formData;
    for (const [name, value] of [...given.entries()]) if (value === "") given.delete(name);
  });

  // ---- Keyboard ------------------------------------------------------------------------------

  const KEYS_OFF = "portevoix-keys-off";
  const keysOff = () => {
    try {
      return localStorage.getItem(KEYS_OFF) === "yes";
    } catch {
      return false;
    }
  };
  here.addEventListener("change", (event) => {
    if (!closest(event, "[data-keys-on]")) return;
    try {
      event.target.checked ? localStorage.removeItem(KEYS_OFF) : localStorage.setItem(KEYS_OFF, "yes");
    } catch {
      // A browser that keeps nothing keeps the shortcuts on.
    }
  });

  function showKeys() {
    const keys = here.getElementById("keys");
    if (!keys || keys.open) return;
    keys.querySelector("[data-keys-on]").checked = !keysOff();
    keys.showModal();
  }
  here.addEventListener("click", (event) => {
    if (closest(event, "[data-keys-open]")) showKeys();
  });

  const rowHere = () => here.activeElement?.closest("[data-row]");

  /** Where the keyboard stands in a row: its link, or the first thing to press or to fill in. */
  const handle = (row) => row.querySelector("a[href]") || row.querySelector("input:not([type=hidden]), select, button");

  function step(by) {
    const rows = [...here.querySelectorAll("[data-row]")];
    if (!rows.length) return;
    const at = rows.indexOf(rowHere());
    const row = rows[Math.min(rows.length - 1, Math.max(0, at < 0 ? 0 : at + by))];
    handle(row)?.focus();
    row.scrollIntoView({ block: "nearest" });
  }

  function choose(row, withShift) {
    const box = row?.querySelector("input[type=checkbox]");
    if (!box) return;
    const start = last;
    box.click();
    if (withShift) range(box.closest("[data-board]"), box, start);
  }

  const isVisible = (element) => element?.checkVisibility?.() ?? Boolean(element);

  /** A button by its letter. In a list where nothing is chosen yet, the row in hand is meant. */
  function press(letter) {
    const button = here.querySelector(`[data-key="${letter}"]:not([disabled])`);
    if (!button) return;
    if (!isVisible(button) && button.closest("[data-board]")) choose(rowHere(), false);
    if (isVisible(button)) button.click();
  }

  let going = 0;
  const goTo = (letter) => here.querySelector(`[data-go="${letter}"]`);

  const KEYS = {
    "?": showKeys,
    "/": () => {
      const finder = here.querySelector("[data-finder]");
      finder?.focus();
      finder?.select();
    },
    g: () => (going = Date.now()),
    j: () => step(1),
    k: () => step(-1),
    x: (event) => choose(rowHere(), event.shiftKey),
  };

  here.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.key === "Enter" && closest(event, "[data-row]") && event.target.matches("input[type=checkbox]")) {
      event.preventDefault();
      rowHere().querySelector("a[href]")?.click();
      return;
    }
    const panel = event.key === "Enter" && closest(event, ".bulk-panel input");
    if (panel) {
      event.preventDefault();
      panel.closest(".bulk-panel").querySelector("button").click();
      return;
    }
    if (event.key === "Escape") {
      const open = here.querySelector(".bulk-act[open], .places-more[open]");
      if (open) {
        open.open = false;
        open.querySelector("summary").focus();
      }
      return;
    }
    if (closest(event, "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable], dialog")) return;
    if (keysOff()) return;
    const key = event.key.toLowerCase();
    if (Date.now() - going < 1500) {
      going = 0;
      const place = goTo(key);
      if (place) {
        event.preventDefault();
        place.click();
        return;
      }
    }
    if (KEYS[key]) {
      event.preventDefault();
      KEYS[key](event);
    } else if (/^[a-z]$/.test(key)) press(key);
  });

  // A press beside an open list of places closes it.
  here.addEventListener("click", (event) => {
    for (const open of here.querySelectorAll(".places-more[open]")) {
      if (!open.contains(event.target)) open.open = false;
    }
  });

  // ---- At the start, and after each fragment ------------------------------------------------------

  const ready = (root) => root.querySelectorAll("[data-board]").forEach(recount);
  ready(here);
  here.addEventListener("htmx:load", (event) => ready(event.detail.elt.parentElement || here));
})();
