// What guests' pages do where scripts run. Without them everything works too, and the server judges anyway.
(() => {
  "use strict";
  const all = (selector) => [...document.querySelectorAll(selector)];

  // An iPad of today says that it is a Mac; only its fingers tell.
  if (/Mac/.test(navigator.platform) && navigator.maxTouchPoints > 1) {
    document.documentElement.classList.add("fingers");
  }

  for (const button of all("[data-copy]")) {
    const field = document.getElementById(button.dataset.copy), words = button.textContent;
    button.hidden = false;
    field.addEventListener("focus", () => field.select());
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(field.value);
      } catch {
        field.select();
        document.execCommand("copy"); // old windows of apps, and pages without https
      }
      button.textContent = button.dataset.done;
      setTimeout(() => { button.textContent = words; }, 3000);
    });
  }

  const form = document.querySelector("form[data-join]");
  if (form) {
    const fields = [...form.elements].filter((field) => field.name && field.type !== "hidden");
    const faults = {
      text: (field) => {
        const name = field.value.normalize("NFC").trim();
        const joined = name.replace(/[\u200c\u200d]/g, "");
        if (/[\p{Cc}\p{Cf}\p{Co}\p{Cs}]/u.test(joined)) return field.dataset.wrong;
        return [...name.replace(/\s+/g, " ")].length > field.dataset.most ? field.dataset.long : "";
      },
      checkbox: (field) => (field.required && !field.checked ? field.dataset.missing : ""),
      tel: (field) => (field.fault ? field.fault() : ""),
    };
    const tell = (field) => {
      const words = faults[field.type](field), id = field.id + "-wrong";
      let told = document.getElementById(id);
      if (words && !told) {
        told = document.createElement("p");
        told.id = id;
        told.className = "wrong-words";
        (field.closest("label") || field).after(told);
      }
      if (words) {
        told.textContent = words;
        field.setAttribute("aria-invalid", "true");
        field.setAttribute("aria-describedby", id);
      } else {
        if (told) told.remove();
        field.removeAttribute("aria-invalid");
        field.removeAttribute("aria-describedby");
      }
      return words;
    };

    // What was typed outlives a lost connection, in this tab and for this visit alone.
    const key = "typed " + (new URLSearchParams(location.search).get("v") || form.elements.form.value);
    const typed = fields.filter((field) => field.type !== "checkbox");
    try {
      for (const other of Object.keys(sessionStorage)) {
        if (other.startsWith("typed ") && other !== key) sessionStorage.removeItem(other);
      }
      const kept = JSON.parse(sessionStorage.getItem(key) || "{}");
      for (const field of typed) field.value = field.value || kept[field.name] || "";
    } catch { /* a browser that keeps nothing */ }
    const keep = () => {
      const words = Object.fromEntries(typed.map((field) => [field.name, field.value]));
      try { sessionStorage.setItem(key, JSON.stringify(words)); } catch { /* the same */ }
    };

    let insists = false;
    for (const field of fields.filter((one) => faults[one.type])) {
      field.addEventListener("input", () => {
        insists = false;
        keep();
        if (field.hasAttribute("aria-invalid")) tell(field);
      });
      // A moment later: words that appear move the button from under the finger that left the field for it.
      field.addEventListener("change", () => { if (field.type !== "checkbox") setTimeout(tell, 250, field); });
    }

    const button = form.querySelector("button[type=submit]"), words = button.textContent;
    let sentAt = -Infinity;
    const ready = () => {
      sentAt = -Infinity;
      button.textContent = words;
      button.removeAttribute("aria-busy");
    };
    form.addEventListener("submit", (event) => {
      const wrong = fields.filter((field) => faults[field.type] && tell(field));
      if (wrong.length && !insists) { // who sends the same again is judged by the server
        insists = true;
        wrong[0].focus();
        event.preventDefault();
      } else if (performance.now() - sentAt < 10000) {
        event.preventDefault(); // a second tap
      } else {
        sentAt = performance.now();
        button.textContent = button.dataset.sending;
        button.setAttribute("aria-busy", "true");
        setTimeout(ready, 10000);
      }
    });
    addEventListener("pageshow", ready);
  }

  // The guest comes back from Wallet: ask what the service knows by now, a few times, since phones take theirs.
  const after = document.querySelector("[data-after]"); // this part of the page changes
  const onward = document.querySelector("[data-onward]"); // or this link leads on
  if (after || onward) {
    let asking = false, shown = after && after.innerHTML;
    const ask = async (pauses) => {
      if (asking) return;
      asking = true;
      for (const pause of pauses) {
        await new Promise((resume) => { setTimeout(resume, pause); });
        if (document.hidden) continue;
        try {
          const answer = await fetch((after || onward).dataset[after ? "after" : "onward"], { cache: "no-store" });
          const news = answer.ok ? await answer.text() : "";
          const added = news.includes("data-added");
          if (added && onward) location.assign(onward.href);
          if (after && news && news !== shown) after.innerHTML = shown = news;
          if (added) break;
        } catch { /* no connection: the page stays as it is */ }
      }
      asking = false;
    };
    const soon = [300, 1500, 3000, 5000, 8000, 13000];
    let tapped = Boolean(after);
    addEventListener("click", (event) => {
      if (!event.target.closest("[data-wallet]")) return;
      tapped = true;
      if (onward) onward.hidden = false;
      ask(soon); // Safari shows Wallet's window above the page, which is not told
    });
    const back = () => { if (tapped && !document.hidden) ask(soon); };
    document.addEventListener("visibilitychange", back);
    addEventListener("focus", back);
    addEventListener("pageshow", (event) => { if (event.persisted) back(); });
  }
})();
