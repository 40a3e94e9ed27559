/* The card's page: asks whether the card has changed while somebody looks at it, has a worker keep it for when
   there is no network, and offers the home screen. Without this script it is a page that one reloads. */
"use strict";
{
  const { home, worker, manifest, edition } = document.currentScript.dataset;
  const FIRST = 4, LONGEST = 60, GROWTH = 1.3, PATIENCE = 15; // seconds
  const find = (id) => document.getElementById(id);
  const language = { en: "en-GB" }[document.documentElement.lang] || document.documentElement.lang;
  let known = edition; // the ETag of what is shown
  let wait = FIRST, timer = 0, turn = 0;
  let asOf = new Date();

  function spelt(moment) {
    const today = moment.toDateString() === new Date().toDateString();
    const day = today ? {} : { day: "numeric", month: "long" };
    return new Intl.DateTimeFormat(language, { ...day, hour: "2-digit", minute: "2-digit" }).format(moment);
  }

  function tell(id, moment) {
    for (const other of ["fresh", "offline"]) {
      const line = find(other), time = line.querySelector("time");
      if (other === id) {
        time.dateTime = moment.toISOString();
        time.textContent = spelt(moment);
      }
      line.hidden = other !== id;
    }
    for (const part of document.querySelectorAll("[data-online]")) part.hidden = id === "offline"; // leads nowhere then
  }

  function confirmed() {
    asOf = new Date();
    tell("fresh", asOf);
  }

  const parts = (page) =>
    [...page.querySelectorAll("link[rel=stylesheet], script[src]")]
      .map((part) => part.getAttribute("href") || part.getAttribute("src")).join();

  // What is read aloud: the message that came, or else what the card says now.
  const newest = () => document.querySelector("#messages li")?.textContent || "";
  const fields = () =>
    [...document.querySelectorAll("#face dl > div")]
      .map((field) => `${field.firstElementChild.textContent}: ${field.lastElementChild.textContent}`).join(", ");

  function swap(markup) {
    const next = new DOMParser().parseFromString(markup, "text/html");
    if (parts(next) !== parts(document)) return location.reload(); // another design, or another release of this
    const before = [newest(), fields()];
    for (const now of document.querySelectorAll("[data-live]")) {
      const then = next.getElementById(now.id);
      if (then) now.replaceWith(then);
    }
    find("told").textContent = [newest(), fields()].find((words, n) => words !== before[n]) || "";
    keep();
  }

  async function ask() {
    clearTimeout(timer);
    const mine = ++turn;
    let answer = null;
    try {
      answer = await fetch(location.href, {
        cache: "no-store", headers: { "If-None-Match": known }, signal: AbortSignal.timeout?.(PATIENCE * 1000),
      });
    } catch { /* no network: told below */ }
    if (mine !== turn) return;
    if (answer?.status === 410) return location.reload(); // the link has ended: that page says so
    if (answer?.ok) {
      swap(await answer.text());
      known = answer.headers.get("ETag");
      wait = FIRST;
    }
    if (answer?.ok || answer?.status === 304) confirmed();
    else tell("offline", new Date(answer?.headers.get("As-Of") || asOf));
    if (document.hidden) return;
    timer = setTimeout(ask, wait * 1000);
    wait = Math.min(LONGEST, wait * GROWTH);
  }

  function now() {
    wait = FIRST;
    if (document.hidden) clearTimeout(timer);
    else ask();
  }

  document.addEventListener("visibilitychange", now);
  addEventListener("online", now);
  addEventListener("offline", now);
  addEventListener("pageshow", (event) => event.persisted && now());

  // What the worker keeps: this page and all that it is made of.

  async function keep() {
    if (!("serviceWorker" in navigator)) return;
    // Only of a picture that is there it is known which of its sizes this screen takes.
    await Promise.allSettled([...document.images].map((picture) => picture.decode()));
    const made = document.querySelectorAll("link[rel=stylesheet], link[rel=icon], script[src], img");
    const files = [...made].map((part) => part.currentSrc || part.href || part.src);
    (await navigator.serviceWorker.ready).active
      .postMessage({ page: location.pathname, search: location.search, files }); // the search says the language
  }

  function offerHome() {
    // The manifest names no secret, so its address cannot open the card: only the worker can, once it keeps it.
    if (!manifest || document.querySelector("link[rel=manifest]")) return;
    const link = document.createElement("link");
    link.rel = "manifest";
    link.href = manifest;
    document.head.append(link);
  }

  if ("serviceWorker" in navigator) {
    navigator.serviceWorker.addEventListener("message", (event) => event.data === "kept" && offerHome());
    navigator.serviceWorker.register(worker, { scope: home }).then(keep, () => {});
  }
  addEventListener("beforeinstallprompt", (event) => {
    event.preventDefault();
    const button = find("home");
    if (!button) return;
    find("by-hand").hidden = true;
    button.hidden = false;
    button.onclick = () => {
      button.hidden = true;
      event.prompt();
    };
  });
  addEventListener("appinstalled", () => navigator.storage?.persist?.());

  // At the till: the code alone, on white, as large as the screen, which stays awake meanwhile.

  addEventListener("DOMContentLoaded", () => {
    const till = find("till");
    find("enlarge").hidden = false;
    find("enlarge").onclick = async () => {
      find("till-code").replaceChildren(document.querySelector(".code svg").cloneNode(true));
      till.showModal();
      const lock = await navigator.wakeLock?.request("screen").catch(() => null);
      till.addEventListener("close", () => lock?.release(), { once: true });
    };
    till.onclick = () => till.close();
    ask();
  });
}
