// Comfort on the members' pages: a card that becomes the page it opens, and `/` for the search box.
// Everything works without it.
(() => {
  "use strict";

  const here = document;

  // ---- A card becomes its page, and the page its card again -------------------------------

  // The name of a transition must stand on one element, so it is given at the press.
  const carry = (card, hash) => card.classList.add(hash === "#composer" ? "carries-composer" : "carries-page");
  const settle = () => {
    for (const card of here.querySelectorAll(".carries-page, .carries-composer")) {
      card.classList.remove("carries-page", "carries-composer");
    }
  };

  here.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest(".story-card a[href]") : null;
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    settle();
    carry(link.closest(".story-card"), link.hash);
  });
  addEventListener("pagereveal", (event) => {
    const from = window.navigation?.activation?.from?.url;
    if (!event.viewTransition || !from) return;
    const { pathname, hash } = new URL(from);
    const link = [...here.querySelectorAll(".story-card a[href]")].find((a) => a.pathname === pathname);
    if (!link) return;
    carry(link.closest(".story-card"), hash);
    event.viewTransition.finished.finally(settle);
  });
  addEventListener("pageshow", (event) => event.persisted && settle());

  // ---- One key, which can be switched off on one's own page -------------------------------

  const KEYS_OFF = "portevoix-keys-off"; // the same choice as on the team's boards
  const keysOff = () => {
    try {
      return localStorage.getItem(KEYS_OFF) === "yes";
    } catch {
      return false;
    }
  };
  for (const box of here.querySelectorAll("[data-keys-on]")) box.checked = !keysOff();
  here.addEventListener("change", (event) => {
    if (!event.target.matches?.("[data-keys-on]")) return;
    try {
      event.target.checked ? localStorage.removeItem(KEYS_OFF) : localStorage.setItem(KEYS_OFF, "yes");
    } catch {
      // A browser that keeps nothing keeps the key.
    }
  });
  here.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.target.closest?.("input, textarea, select, [contenteditable], dialog") || keysOff()) return;
    const finder = here.querySelector("[data-finder]");
    if (!finder) return;
    event.preventDefault();
    finder.focus();
    finder.select();
  });
})();
