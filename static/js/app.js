// What a script adds to pages that work without one. Each part listens on the document, so
// that fragments brought by htmx need no second start. Words come from the page, translated.
(() => {
  "use strict";

  const here = document;
  const closest = (event, what) => (event.target instanceof Element ? event.target.closest(what) : null);

  // ---- Messages -----------------------------------------------------------------------

  const toasts = () => here.getElementById("toasts");

  /** Shows and announces one sentence; it stays until closed, or ten seconds when it went well. */
  function toast(text, kind = "stop") {
    const region = toasts();
    if (!region || !text) return;
    if ([...region.querySelectorAll("p")].some((known) => known.textContent === text)) return;
    const box = here.createElement("div");
    box.className = `toast toast-${kind}`;
    const words = here.createElement("p");
    words.textContent = text;
    const close = here.createElement("button");
    close.type = "button";
    close.className = "notice-close";
    close.dataset.dismiss = "";
    close.setAttribute("aria-label", region.dataset.close);
    close.textContent = "×";
    box.append(words, close);
    region.append(box);
    if (kind === "ok") setTimeout(() => box.remove(), 10000);
  }

  here.addEventListener("click", (event) => {
    const close = closest(event, "[data-dismiss]");
    if (close) close.closest(".notice, .toast")?.remove();
  });

  // ---- htmx: failures have one visible, announced place ----------------------------------

  const SENTENCE = { 401: "signedOut", 403: "forbidden", 404: "gone", 409: "changed", 410: "gone", 412: "changed", 413: "tooLarge", 429: "tooMany" };

  here.addEventListener("htmx:responseError", (event) => {
    const xhr = event.detail.xhr;
    // The server may have said it better, by an HX-Trigger header: {"toast": {"text": "…"}}.
    if ((xhr.getResponseHeader("HX-Trigger") || "").includes('"toast"')) return;
    toast(toasts()?.dataset[SENTENCE[xhr.status] || "failed"]);
  });
  for (const name of ["htmx:sendError", "htmx:timeout"]) {
    here.addEventListener(name, () => toast(toasts()?.dataset.offline));
  }
  here.addEventListener("toast", (event) => toast(event.detail.text ?? event.detail.value, event.detail.kind ?? "ok"));

  // While the server works, a line runs along the top, and what will change says that it is busy.
  let asked = 0;
  const busy = (event, by) => {
    asked = Math.max(0, asked + by);
    here.documentElement.toggleAttribute("data-busy", asked > 0);
    const target = event.detail.target;
    if (by > 0) target?.setAttribute?.("aria-busy", "true");
    else target?.removeAttribute?.("aria-busy");
  };
  here.addEventListener("htmx:beforeRequest", (event) => busy(event, 1));
  here.addEventListener("htmx:afterRequest", (event) => busy(event, -1));

  // A form that came back brings the reader to what needs another look.
  here.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.xhr?.status !== 422) return;
    const target = event.detail.target?.isConnected ? event.detail.target : here;
    (target.querySelector("[data-focus]") || target.querySelector('[aria-invalid="true"]'))?.focus();
  });

  // ---- Questions before what cannot be undone -------------------------------------------

  /** Asks in the page's own dialog; resolves to true on yes. */
  function ask(question, yes) {
    const dialog = here.getElementById("ask");
    if (!dialog) return Promise.resolve(window.confirm(question));
    dialog.querySelector("h2").textContent = question;
    const press = dialog.querySelector("[data-yes]");
    press.dataset.usual ??= press.textContent;
    press.textContent = yes || press.dataset.usual;
    dialog.returnValue = "no";
    dialog.showModal();
    return new Promise((resolve) => {
      dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
    });
  }

  here.addEventListener(
    "submit",
    (event) => {
      const form = event.target;
      const asker = event.submitter?.dataset.confirm ? event.submitter : form.dataset.confirm ? form : null;
      if (!asker || form.dataset.sure) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      ask(asker.dataset.confirm, asker.dataset.yes).then((sure) => {
        if (!sure) return;
        form.dataset.sure = "yes";
        form.requestSubmit(event.submitter);
        delete form.dataset.sure;
      });
    },
    true,
  );
  here.addEventListener("htmx:confirm", (event) => {
    if (!event.detail.question) return;
    event.preventDefault();
    ask(event.detail.question, event.detail.elt.dataset.yes).then((sure) => sure && event.detail.issueRequest(true));
  });

  // ---- Carrying words elsewhere -----------------------------------------------------------

  here.addEventListener("click", async (event) => {
    const button = closest(event, "[data-copy], [data-copy-from]");
    if (!button) return;
    const source = button.dataset.copyFrom && here.querySelector(button.dataset.copyFrom);
    const text = source ? (source.value ?? source.textContent) : button.dataset.copy;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Without a secure address there is no clipboard: choose the words for the reader's own keys.
      const field = source || button.parentElement.querySelector("input, textarea");
      field?.focus();
      field?.select?.();
      return;
    }
    const label = button.querySelector("span") || button;
    label.dataset.usual ??= label.textContent;
    label.textContent = button.dataset.done || label.dataset.usual;
    toast(button.dataset.done, "ok");
    setTimeout(() => (label.textContent = label.dataset.usual), 2500);
  });

  const showShare = (root) => {
    if (!navigator.share) return;
    for (const button of root.querySelectorAll("[data-share-url][hidden]")) button.hidden = false;
  };
  here.addEventListener("click", (event) => {
    const button = closest(event, "[data-share-url]");
    if (!button) return;
    const { shareUrl: url, shareText: text, shareTitle: title } = button.dataset;
    // Closing the sheet is a choice, not a failure.
    navigator.share({ url, text, title }).catch(() => {});
  });

  // ---- Forms --------------------------------------------------------------------------------

  // Filters answer at once; their button stays for those without a script.
  here.addEventListener("change", (event) => {
    const form = event.target.form; // a control may stand outside of its form
    if (form?.matches("[data-auto]") && closest(event, "select, input[type=checkbox], input[type=radio], input[type=date]")) form.requestSubmit();
  });

  // "217 of 3,000 characters": {n} in data-counter-text stands for the count.
  const count = (field) => {
    const place = here.getElementById(field.dataset.counter);
    if (!place) return;
    const n = [...field.value].length;
    place.textContent = place.dataset.counterText.replace("{n}", n.toLocaleString(here.documentElement.lang));
  };
  here.addEventListener("input", (event) => {
    if (closest(event, "[data-counter]")) count(event.target);
  });

  // A file too large is told before it travels.
  here.addEventListener("change", (event) => {
    const field = closest(event, "input[type=file]");
    if (!field) return;
    const files = [...field.files];
    const limit = Number(field.dataset.maxBytes || Infinity);
    const heavy = files.some((file) => file.size > limit);
    field.setCustomValidity(heavy ? field.dataset.tooLarge : "");
    const note = field.closest(".field")?.querySelector("[data-chosen]");
    if (note) note.textContent = heavy ? field.dataset.tooLarge : files.map((file) => file.name).join(", ");
  });

  // ---- At the start, and after each fragment --------------------------------------------------

  const ready = (root) => {
    showShare(root);
    root.querySelectorAll("[data-counter]").forEach(count);
  };
  ready(here);
  here.addEventListener("htmx:load", (event) => ready(event.detail.elt.parentElement || here));
})();
