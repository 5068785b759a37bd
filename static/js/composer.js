// The composer's comfort: the count follows each key, the unfolded preview stays unfolded.
// Everything here is also said by the server, with or without a script.
(() => {
  "use strict";

  const here = document;

  // UTF-16 code units, as the network counts, which is what a string's length is.
  const count = (form) => {
    const place = form.querySelector("[data-units-of]");
    const field = place && form.elements[place.dataset.unitsOf];
    if (!field) return;
    const words = field.value.trim().length;
    const units = words ? Number(place.dataset.first) + words : Math.max(0, Number(place.dataset.first) - 2);
    const most = Number(place.dataset.most);
    const shown = (n) => n.toLocaleString(here.documentElement.lang);
    const text = units > most ? place.dataset.textOver : place.dataset.text;
    place.textContent = text.replace("{n}", shown(units)).replace("{max}", shown(most));
    place.classList.toggle("too-long", units > most);
  };

  here.addEventListener("input", (event) => {
    const form = event.target instanceof Element && event.target.closest("[data-composer]");
    if (form) count(form);
  });

  let unfolded = false;
  here.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target?.id !== "preview") return;
    unfolded = Boolean(here.querySelector("#preview .network-fold[open]"));
  });
  here.addEventListener("htmx:afterSwap", () => {
    const form = here.querySelector("[data-composer]");
    if (!form) return;
    const fold = form.querySelector("#preview .network-fold");
    if (fold && unfolded) fold.open = true;
    count(form);
  });
  // A session that ended must not carry the reader away from what they are writing.
  here.addEventListener("htmx:beforeOnLoad", (event) => {
    const leads = (name) => event.detail.xhr.getResponseHeader(name);
    if (event.detail.target?.id !== "preview" || !(leads("HX-Redirect") || leads("HX-Refresh"))) return;
    event.preventDefault();
    const text = here.getElementById("toasts")?.dataset.signedOut;
    here.dispatchEvent(new CustomEvent("toast", { detail: { text, kind: "stop" } }));
  });

  // A start that was chosen by a key or a thumb: the words are what one goes on with.
  here.addEventListener("htmx:afterSettle", (event) => {
    if (event.target.id === "composer") here.getElementById("words")?.focus({ preventScroll: true });
  });
})();
