// The editor's comforts: the preview follows the typing, pictures upload themselves. All works without.
(() => {
  "use strict";
  const form = document.querySelector("form.designer");
  if (!form) return;
  form.classList.add("live");
  const pane = document.getElementById("preview");
  const PAUSE = 350; // milliseconds without a key
  let timer = 0;
  let asking = null;

  // Fields whose numbers the server knows have their notes under the same name.
  const place = (fresh) => {
    const notes = new Map([...fresh.querySelectorAll("[data-of]")].map((each) => [each.dataset.of, each.innerHTML]));
    for (const slot of form.querySelectorAll("[data-slot]")) {
      const words = notes.get(slot.dataset.slot) || "";
      if (slot.innerHTML !== words) slot.innerHTML = words;
    }
  };

  const show = async () => {
    if (asking) asking.abort();
    const mine = asking = new AbortController();
    const typed = new URLSearchParams();
    for (const [name, value] of new FormData(form)) if (typeof value === "string") typed.append(name, value);
    pane.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(form.dataset.preview, { method: "POST", body: typed, signal: mine.signal });
      if (!answer.ok && answer.status !== 422) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      const picture = fresh.querySelector("[data-picture]");
      if (!picture) return;
      pane.querySelector("[data-picture]").replaceWith(picture);
      place(fresh);
    } catch (fault) {
      if (fault.name !== "AbortError" && fault.name !== "TypeError") throw fault; // asked anew, or no network
    } finally {
      if (asking === mine) pane.removeAttribute("aria-busy");
    }
  };

  form.addEventListener("input", (event) => {
    if (event.target.type === "file" || event.target.name === "see.side") return;
    const hex = form.querySelector(`[data-hex="${CSS.escape(event.target.name)}"]`);
    if (hex) hex.textContent = event.target.value;
    clearTimeout(timer);
    timer = setTimeout(show, event.target.matches("[data-shows]") ? 0 : PAUSE);
  });

  // A picture is checked and saved at once, with everything that was typed.
  form.addEventListener("change", (event) => {
    if (event.target.matches("[data-uploads]") && event.target.files.length) {
      form.requestSubmit(form.querySelector('button[value="save"]'));
    }
    if (event.target.name && event.target.name.endsWith(".place")) {
      form.requestSubmit(form.querySelector('button[value="save"]'));
    }
  });

  // What was not saved is not left by accident.
  let touched = false;
  form.addEventListener("input", (event) => { if (!event.target.name.startsWith("see.")) touched = true; });
  form.addEventListener("submit", () => { touched = false; });
  window.addEventListener("beforeunload", (event) => { if (touched) event.preventDefault(); });

  const meant = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (meant && meant.closest("details")) {
    meant.closest("details").open = true;
    meant.querySelector("input:not([type=hidden])")?.focus();
  }
  document.getElementById("conflict")?.focus();
})();
