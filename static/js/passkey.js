// The browser's own dialogue with a passkey, in a form that waits for its answer. Its box is
// hidden until a script that can do it is here; everything else on these pages works without.
(() => {
  "use strict";

  if (!window.PublicKeyCredential || !navigator.credentials) return;

  const bytes = (text) =>
    Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (sign) => sign.charCodeAt(0));
  const text = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer)))
      .replace(/\+/g, "-")
      .replace(/\//g, "_")
      .replace(/=+$/, "");

  // Options come as JSON, with base64url for what the browser wants as bytes (WebAuthn, 5.1.8).
  const opened = (options) => {
    options.challenge = bytes(options.challenge);
    if (options.user) options.user.id = bytes(options.user.id);
    for (const list of ["excludeCredentials", "allowCredentials"]) {
      for (const each of options[list] ?? []) each.id = bytes(each.id);
    }
    return options;
  };

  const answered = ({ id, rawId, type, response }) => {
    const said = { clientDataJSON: text(response.clientDataJSON) };
    for (const name of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (response[name]) said[name] = text(response[name]);
    }
    if (response.getTransports) said.transports = response.getTransports();
    return JSON.stringify({ id, rawId: text(rawId), type, response: said });
  };

  const challenge = async (form) => {
    const answer = await fetch(form.dataset.challenge, {
      method: "POST",
      body: new FormData(form),
      headers: { Accept: "application/json" },
    });
    const kind = answer.headers.get("Content-Type") ?? "";
    if (!answer.ok || !kind.startsWith("application/json")) throw new Error("no challenge");
    return opened(await answer.json());
  };

  const words = (form, error) => {
    if (error.name === "InvalidStateError") return form.dataset.known;
    const left = error.name === "NotAllowedError" || error.name === "AbortError";
    return left ? form.dataset.cancelled : form.dataset.failed;
  };

  const speak = async (form) => {
    const told = form.querySelector("[data-passkey-told]");
    told.hidden = true;
    try {
      const publicKey = await challenge(form);
      const made = await navigator.credentials[form.dataset.passkey]({ publicKey });
      form.elements.credential.value = answered(made);
      form.submit();
    } catch (error) {
      told.firstElementChild.textContent = words(form, error);
      told.hidden = false;
    }
  };

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    form.closest("[data-passkey-box]").hidden = false;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void speak(form);
    });
  }
  for (const note of document.querySelectorAll("[data-passkey-none]")) note.hidden = true;
})();
