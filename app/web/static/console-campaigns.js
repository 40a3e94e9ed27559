// Comforts of writing a campaign: numbers and preview follow the typing, fields go in by a tap. All works without.
(() => {
  "use strict";
  const form = document.querySelector("form.campaign-form");
  if (!form) return;
  form.classList.add("live");
  const PAUSE = 500; // milliseconds without a key
  let timer = 0;
  let asking = null;
  let counting = false;

  const show = async () => {
    if (asking) asking.abort();
    const mine = asking = new AbortController();
    const typed = new FormData(form);
    typed.set("do", counting ? "look" : "words");
    const counted = counting;
    form.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(typed), signal: mine.signal });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (!page.querySelector("form.campaign-form")) return; // signed out: sending the form says so
      for (const part of form.querySelectorAll("[data-live]")) {
        if (part.id === "counts" && !counted) continue;
        const fresh = page.getElementById(part.id);
        if (fresh && fresh.innerHTML !== part.innerHTML) part.innerHTML = fresh.innerHTML;
      }
      if (counted) counting = false;
    } catch (fault) {
      if (fault.name !== "AbortError" && fault.name !== "TypeError") throw fault;
    } finally {
      if (asking === mine) form.removeAttribute("aria-busy");
    }
  };

  form.addEventListener("input", (event) => {
    const counts = event.target.closest("[data-count]");
    if (!counts && !event.target.matches("[data-words]")) return;
    if (counts) counting = true;
    clearTimeout(timer);
    timer = setTimeout(show, PAUSE);
  });
  form.elements.namedItem("see.guest")?.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    clearTimeout(timer);
    show();
  });

  // Fields in braces go in where the cursor stands.
  const fields = [...form.querySelectorAll(".campaign-fields code")];
  for (const area of form.querySelectorAll("textarea[data-words]")) {
    const chips = document.createElement("div");
    chips.className = "campaign-chips";
    for (const field of fields) {
      const words = field.dataset[area.lang] || field.textContent;
      const chip = chips.appendChild(document.createElement("button"));
      chip.type = "button";
      chip.textContent = words;
      chip.addEventListener("click", () => {
        area.setRangeText(words, area.selectionStart, area.selectionEnd, "end");
        area.focus();
        area.dispatchEvent(new Event("input", { bubbles: true }));
      });
    }
    area.after(chips);
  }
})();
