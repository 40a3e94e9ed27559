// The editor's comforts: the preview follows the typing, pictures upload themselves. All works without.
(() => {
  "use strict";
  const form = document.querySelector("form.designer");
  if (!form) return;
  form.classList.add("live");
  const pane = document.getElementById("preview");
  const state = document.getElementById("preview-state");
  const told = document.getElementById("told");
  const who = form.elements.namedItem("guest.who");
  const PAUSE = 350; // milliseconds without a key
  let timer = 0;
  let asking = null;

  // What is wrong with an input stands below it, as after sending the form.
  const mark = (input, words) => {
    const id = `${input.id}-fault`;
    let fault = document.getElementById(id);
    if (fault && fault.innerHTML === words) return false;
    const says = new Set((input.getAttribute("aria-describedby") || "").split(" ").filter(Boolean));
    if (!words) {
      if (!fault) return false;
      fault.remove();
      says.delete(id);
      input.removeAttribute("aria-invalid");
    } else {
      if (!fault) {
        fault = document.createElement("strong");
        fault.className = "fault";
        fault.id = id;
        const swatch = input.closest(".swatch");
        if (swatch) swatch.after(fault);
        else (input.closest(".field") || input.parentElement).append(fault);
      }
      fault.innerHTML = words;
      says.add(id);
      input.setAttribute("aria-invalid", "true");
      const folded = input.closest("details");
      if (folded) folded.open = true;
    }
    if (says.size) input.setAttribute("aria-describedby", [...says].join(" "));
    else input.removeAttribute("aria-describedby");
    return Boolean(words);
  };

  const labelled = (input, words) => {
    const label = input.labels && input.labels[0];
    return `${label ? label.textContent.trim().replace(/\s+/g, " ") : ""}: ${words.trim()}`;
  };

  // Faults and notes, each in its place; what is new is also said to who does not see it.
  const place = (fresh) => {
    const faults = new Map([...fresh.querySelectorAll("[data-fault]")].map((each) => [each.dataset.fault, each]));
    const notes = new Map([...fresh.querySelectorAll("[data-of]")].map((each) => [each.dataset.of, each]));
    const news = [];
    const before = form.querySelectorAll(".fault, .note.wrong, .note.warn").length;
    for (const input of form.elements) {
      if (!input.id || input.id !== input.name || input.type === "file") continue;
      const fault = faults.get(input.name);
      if (mark(input, fault ? fault.innerHTML : "")) news.push(labelled(input, fault.textContent));
    }
    for (const slot of form.querySelectorAll("[data-slot]")) {
      const note = notes.get(slot.dataset.slot);
      const words = note ? note.innerHTML : "";
      if (slot.innerHTML === words) continue;
      const said = new Set([...slot.children].map((each) => each.textContent));
      slot.innerHTML = words;
      for (const each of slot.querySelectorAll(".wrong, .warn")) {
        if (!said.has(each.textContent)) news.push(each.textContent.trim());
      }
    }
    if (!faults.size) document.getElementById("faults")?.remove(); // of the form as it was sent
    if (news.length) told.textContent = news.join(" ");
    else if (form.querySelectorAll(".fault, .note.wrong, .note.warn").length < before) told.textContent = told.dataset.mended;
  };

  const people = (fresh) => {
    const list = document.getElementById("guests");
    const found = fresh.querySelector("[data-guests]");
    if (!list || !found || list.innerHTML === found.innerHTML) return;
    const held = list.contains(document.activeElement) ? document.activeElement.id : "";
    list.innerHTML = found.innerHTML;
    if (held) document.getElementById(held)?.focus();
  };

  // Grey, with a sentence, while what is drawn is not what is typed.
  const grey = (words) => {
    pane.querySelector("[data-picture]").classList.toggle("stale", Boolean(words));
    if ((state.textContent || "").trim() === words) return;
    state.textContent = "";
    if (!words) return;
    const note = state.appendChild(document.createElement("p"));
    note.className = "note warn";
    note.textContent = words;
  };

  const show = async () => {
    if (asking) asking.abort();
    const mine = asking = new AbortController();
    const typed = new URLSearchParams();
    for (const [name, value] of new FormData(form)) if (typeof value === "string") typed.append(name, value);
    pane.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(form.dataset.preview, { method: "POST", body: typed, signal: mine.signal });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const picture = page.querySelector("[data-picture]");
      if (!picture) return grey(state.dataset.lost); // signed out, or published by somebody else
      const fresh = page.querySelector("template[data-notes]").content;
      const drawn = picture.querySelector("svg");
      if (drawn || !pane.querySelector("svg")) pane.querySelector("[data-picture]").replaceWith(picture);
      place(fresh);
      people(fresh);
      grey(picture.classList.contains("stale") || !drawn ? state.dataset.stale : "");
    } catch (fault) {
      if (fault.name === "AbortError") return; // asked anew
      if (fault.name !== "TypeError") throw fault;
      grey(state.dataset.lost); // no network
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

  // Looking for a guest saves nothing.
  who?.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    clearTimeout(timer);
    show();
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
  form.addEventListener("input", (event) => { if (!/^(see|guest)\./.test(event.target.name)) touched = true; });
  form.addEventListener("submit", () => { touched = false; });
  window.addEventListener("beforeunload", (event) => { if (touched) event.preventDefault(); });

  const meant = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (meant && meant.closest("details")) {
    meant.closest("details").open = true;
    meant.querySelector("input:not([type=hidden])")?.focus();
  }
  document.getElementById("conflict")?.focus();
})();
