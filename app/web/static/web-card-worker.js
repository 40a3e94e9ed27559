/* Keeps one card for when there is no network: the page as it was last seen, and what it is made of. Its scope is
   the card's address without the signature, so the home screen's icon carries no secret; the signed address is
   known here alone. A card whose link has ended is forgotten, and the worker with it. */
"use strict";
const HOME = new URL(registration.scope).pathname;
const KEPT = `perkpass ${HOME}`;
const AS_OF = `${HOME}/as-of`;
const PATIENCE = 4000; // milliseconds: then the card as it was is better than a blank screen
const ours = (path) => path.startsWith(`${HOME}~`);

addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));

addEventListener("message", (event) => {
  event.waitUntil(keep(event.data).then((kept) => kept && event.source.postMessage("kept")));
});

addEventListener("fetch", (event) => {
  const { request } = event, { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin) return;
  if (ours(pathname)) {
    event.respondWith(request.mode === "navigate" ? open(event) : ask(event));
  } else if (request.mode !== "navigate") {
    event.respondWith(caches.match(request, { cacheName: KEPT, ignoreVary: true }).then((hit) => hit || fetch(request)));
  } else if (pathname === HOME) {
    event.respondWith(come(request));
  }
});

const kept = (page) => caches.match(page, { cacheName: KEPT, ignoreVary: true });
const bare = (request) => new URL(request.url).pathname;

/* From the home screen to the card. */
async function come(request) {
  const keys = await (await caches.open(KEPT)).keys();
  const page = keys.map(bare).find(ours);
  return page ? Response.redirect(page + new URL(request.url).search) : fetch(request);
}

/* The page: as it is now, else as it was. */
async function open(event) {
  const before = await kept(bare(event.request));
  const now = fetch(event.request).then(async (answer) => {
    await noted(bare(event.request), answer);
    return before && answer.status >= 500 ? before : answer;
  });
  if (!before) return now;
  event.waitUntil(now.catch(() => {}));
  return Promise.race([now.catch(() => before), new Promise((done) => setTimeout(done, PATIENCE, before))]);
}

/* The page that is open asks whether the card has changed. */
async function ask(event) {
  let answer = null;
  try {
    answer = await fetch(event.request);
    await noted(bare(event.request), answer);
  } catch { /* no network: told below */ }
  if (answer && answer.status < 500) return answer;
  const asOf = await kept(AS_OF);
  return new Response(null, { status: 503, headers: asOf ? { "As-Of": await asOf.text() } : {} });
}

/* A browser that has no room left shows what the network answered all the same. */
const noted = (page, answer) => note(page, answer.clone()).catch(() => {});

async function note(page, answer) {
  if (answer.status === 410) {
    await caches.delete(KEPT);
    await registration.unregister();
  } else if (answer.status === 200 || answer.status === 304) {
    const cache = await caches.open(KEPT);
    if (answer.status === 200) await cache.put(page, answer);
    await cache.put(AS_OF, new Response(new Date().toISOString()));
  }
}

async function keep({ page, search, files }) {
  if (!ours(page)) return false;
  const cache = await caches.open(KEPT);
  const wanted = new Set(files.map((file) => new URL(file, location.origin).pathname));
  for (const key of await cache.keys()) {
    if (![page, AS_OF].includes(bare(key)) && !wanted.delete(bare(key))) await cache.delete(key);
  }
  await Promise.allSettled([...wanted].map((file) => cache.add(file)));
  if (!(await cache.match(page, { ignoreVary: true }))) await note(page, await fetch(page + search));
  return Boolean(await cache.match(page, { ignoreVary: true }));
}
