// Keeps what every page is made of, and one page for moments without a network: nothing of
// anybody. `SHELL` ({version, files, pages, page}) is written above by the server.
//
// Pages, answers to programs and pictures are never kept. Pages that are read without an account
// are left to the browser alone. All that is kept is named by its hash, so a new worker may
// take over at once: whoever stands on an older page gets its files from the network.
"use strict";

const PREFIX = "portevoix-shell-";
const CACHE = PREFIX + SHELL.version;
const LEFT_ALONE = /^\/(r|o|c|s|links|privacy|api|webhooks|scim|media|healthz|readyz|metrics|offline)(\/|$)/;

self.addEventListener("install", (event) => {
  const wanted = [...SHELL.files, ...SHELL.pages].map((url) => new Request(url, { credentials: "omit" }));
  event.waitUntil(
    caches
      .open(CACHE)
      .then((cache) => cache.addAll(wanted))
      .then(() => self.skipWaiting()),
  );
});

// No navigation preload: it would ask twice for the addresses that are left alone, and an opened
// link counts.
async function takeOver() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith(PREFIX) && name !== CACHE).map((name) => caches.delete(name)));
}
self.addEventListener("activate", (event) => event.waitUntil(takeOver()));

/** The page itself; where the network fails, the one that says so. */
async function page(event) {
  try {
    return await fetch(event.request);
  } catch {
    return (await caches.match(SHELL.page, { cacheName: CACHE })) || Response.error();
  }
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  const path = url.pathname + url.search;
  if (SHELL.files.includes(path)) {
    event.respondWith(caches.match(path, { cacheName: CACHE }).then((kept) => kept || fetch(request)));
  } else if (request.mode === "navigate" && SHELL.pages.includes(path)) {
    event.respondWith(fetch(request).catch(() => caches.match(path, { cacheName: CACHE })));
  } else if (request.mode === "navigate" && !LEFT_ALONE.test(url.pathname)) {
    event.respondWith(page(event));
  }
});
