// Redraws the page when the phone changes. Without this file the page reloads by itself.
"use strict";
const live = document.body.dataset.live;

async function redraw(address, options) {
  const answer = await fetch(address, options);
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("screen");
  const old = document.getElementById("screen");
  if (!fresh) return;
  const backs = fresh.querySelectorAll("details.back");
  old.querySelectorAll("details.back").forEach((back, at) => { if (back.open) backs[at]?.setAttribute("open", ""); });
  const lists = [...old.querySelectorAll("nav ol, aside")].map((list) => list.scrollTop);
  const known = [".banner", ".notice"].map((kind) => [kind, old.querySelectorAll(kind).length]);
  const focused = document.activeElement?.closest("form")?.getAttribute("action");
  old.replaceWith(fresh);
  fresh.querySelectorAll("nav ol, aside").forEach((list, at) => { list.scrollTop = lists[at] || 0; });
  if (focused) fresh.querySelector(`form[action="${focused}"] button`)?.focus();
  known.forEach(([kind, count]) => {
    if (fresh.querySelectorAll(kind).length > count) fresh.querySelector(kind).classList.add("fresh");
  });
}

document.addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.target;
  form.querySelector("button").disabled = true;
  redraw(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
});

new EventSource(live).addEventListener("screen", () => redraw(location.href));
