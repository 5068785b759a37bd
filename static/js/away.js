// Between pressing and answer. A form marked `data-press` is sent from here, so that a network
// that fails leaves what was typed in its place; its own token makes a second press the same one.
(() => {
  "use strict";

  const here = document;
  const SLOW = 8000;
  const LONGEST = 30000;

  /** One sentence after a button, announced; "" takes it away. */
  function say(button, text, kind = "stop") {
    button.parentElement.querySelector(":scope > .press-note")?.remove();
    if (!text) return;
    const note = here.createElement("p");
    note.className = `press-note notice notice-${kind}`;
    note.setAttribute("role", kind === "wait" ? "status" : "alert");
    button.after(note);
    note.textContent = text;
  }

  const words = here.body.dataset;

  const under = new WeakSet();

  function go(address) {
    const to = new URL(address, location.href);
    const same = to.pathname === location.pathname && to.search === location.search;
    if (!same) return location.assign(to);
    if (to.hash) history.replaceState(history.state, "", to);
    location.reload();
  }

  /** A page that came back in place of the one that was sent, such as a form to look at again. */
  function show(text) {
    const page = new DOMParser().parseFromString(text, "text/html");
    const main = page.querySelector("main");
    const old = here.querySelector("main");
    if (!main || !old) return false;
    here.title = page.title;
    old.replaceWith(main);
    window.htmx?.process(main);
    main.dispatchEvent(new CustomEvent("htmx:load", { bubbles: true, detail: { elt: main } }));
    const wrong = main.querySelector("[data-focus]") || main.querySelector('[role=alert], [aria-invalid="true"]');
    if (wrong && !wrong.matches("input, textarea, select")) wrong.tabIndex = -1;
    (wrong || main).focus();
    return true;
  }

  /** What an error page says, as one sentence. */
  function told(text) {
    const page = new DOMParser().parseFromString(text, "text/html");
    const parts = [...page.querySelectorAll(".mishap h1, .mishap-lead")].map((part) => part.textContent.trim());
    return parts.filter(Boolean).join(". ");
  }

  async function send(form, button) {
    const body = new FormData(form, button);
    const address = button.hasAttribute("formaction") ? button.formAction : form.action;
    const stop = new AbortController();
    const timers = [setTimeout(() => say(button, words.slow, "wait"), SLOW), setTimeout(() => stop.abort(), LONGEST)];
    under.add(form);
    button.setAttribute("aria-disabled", "true");
    form.setAttribute("aria-busy", "true");
    say(button, "");
    try {
      const answer = await fetch(address, { method: "POST", body: new URLSearchParams(body), headers: { "X-Press": "1" }, signal: stop.signal });
      const to = answer.headers.get("X-Go") || (answer.redirected && answer.url);
      if (to) return go(to);
      const text = await answer.text();
      if (answer.status >= 500 || answer.status === 429) say(button, told(text) || words.lost);
      else if (!show(text)) go(location.href);
    } catch {
      say(button, navigator.onLine ? words.lost : words.unsent);
    } finally {
      timers.forEach(clearTimeout);
      under.delete(form);
      form.removeAttribute("aria-busy");
      button.removeAttribute("aria-disabled");
    }
  }

  here.addEventListener("submit", (event) => {
    const form = event.target;
    const button = event.submitter ?? form.querySelector("button[type=submit]");
    if (event.defaultPrevented || !form.matches?.("form[data-press]") || !button) return;
    if (form.enctype === "multipart/form-data" || button.formTarget || form.target) return;
    event.preventDefault();
    if (!under.has(form)) send(form, button);
  });

  // The same for fragments.
  for (const name of ["htmx:sendError", "htmx:timeout"]) {
    here.addEventListener(
      name,
      (event) => {
        const press = event.detail.requestConfig?.triggeringEvent;
        const button = press?.submitter ?? (press?.type === "click" && press.target.closest?.("button"));
        if (!button?.isConnected) return;
        event.stopImmediatePropagation();
        const usual = here.getElementById("toasts")?.dataset.offline;
        say(button, !navigator.onLine ? words.unsent : button.form?.matches("[data-press]") ? words.lost : usual);
      },
      true,
    );
  }
  here.addEventListener("htmx:beforeRequest", (event) => {
    const button = event.detail.requestConfig?.triggeringEvent?.submitter;
    if (!button) return;
    say(button, "");
    const timer = setTimeout(() => say(button, words.slow, "wait"), SLOW);
    event.detail.xhr.addEventListener("loadend", () => {
      clearTimeout(timer);
      button.parentElement?.querySelector(":scope > .press-note[role=status]")?.remove();
    });
  });

  // A form that was put back: what the page makes of it while it is written.
  window.addEventListener("load", () => {
    const form = here.getElementById(here.querySelector("[data-kept]")?.dataset.kept);
    const field = form?.matches("form") ? form.querySelector("textarea, input:not([type=hidden])") : form;
    field?.dispatchEvent(new Event("input", { bubbles: true }));
  });

  // A network that is back need not reach the server yet, and may tell nobody that it came.
  if (here.querySelector("[data-comes-back]") && location.pathname !== "/offline") {
    let timer, wait = 1000;
    const again = async () => {
      clearTimeout(timer);
      timer = setTimeout(again, wait);
      wait = Math.min(wait * 2, 30_000);
      const answer = await fetch("/healthz", { cache: "no-store" }).catch(() => null);
      if (answer?.ok) location.reload();
    };
    window.addEventListener("online", again);
    timer = setTimeout(again, wait);
  }

  // Only where the page names a manifest, which public pages do not.
  if (here.querySelector("link[rel=manifest]") && "serviceWorker" in navigator) {
    window.addEventListener("load", () => {
      navigator.serviceWorker.register(`/sw.js?lang=${here.documentElement.lang}`).catch(() => {});
    });
  }
})();
