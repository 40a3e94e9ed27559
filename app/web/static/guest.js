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
  // What was typed outlives a lost connection, in this tab and for this visit alone, until it was sent.
  const key = form && "typed " + (new URLSearchParams(location.search).get("v") || form.elements.form.value);
  try {
    for (const other of Object.keys(sessionStorage)) {
      if (other.startsWith("typed ") && other !== key) sessionStorage.removeItem(other);
    }
  } catch { /* a browser that keeps nothing */ }

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

    const typed = fields.filter((field) => field.type !== "checkbox");
    try {
      const kept = JSON.parse(sessionStorage.getItem(key) || "{}");
      for (const field of typed) field.value = field.value || kept[field.name] || "";
    } catch { /* the same */ }
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
    const state = after ? after.dataset.after : onward.dataset.onward;
    // When a phone last registered the card. Another one may hold it already, so a page that leads on takes the
    // first answer for what there was before; a page that changes was drawn when there was none.
    let known = after ? 0 : null, tapped = Boolean(after), heard = false;
    let asking = false, pauses = [];
    const ask = async (...wanted) => {
      pauses = wanted;
      if (asking) return;
      asking = true;
      while (pauses.length && !heard) {
        await new Promise((resume) => { setTimeout(resume, pauses.shift()); });
        if (document.hidden) continue;
        const before = !tapped;
        try {
          const answer = await fetch(state, { cache: "no-store" });
          if (!answer.ok) continue;
          const newest = Number(await answer.text());
          if (known === null || before) known = newest;
          heard = newest > known;
        } catch { /* no connection: the page stays as it is */ }
        if (heard && after) after.replaceChildren(document.getElementById("added").content);
        else if (heard) location.assign(onward.href);
      }
      asking = false;
    };
    addEventListener("click", (event) => {
      if (!event.target.closest("[data-wallet]")) return;
      tapped = true;
      // Safari shows Wallet's window above the page, which is not told. Not at once: nobody adds a card within
      // three seconds, and whoever left the page while the download is under way would lose it.
      ask(3000, 1500, 3000, 5000, 8000, 13000);
    });
    const back = () => {
      if (!document.hidden) ask(...(tapped ? [300, 1500, 3000, 5000, 8000, 13000] : [0]));
    };
    document.addEventListener("visibilitychange", back);
    addEventListener("focus", back);
    addEventListener("pageshow", (event) => {
      if (!event.persisted) return;
      if (onward) heard = tapped = false; // led on from here before
      back();
    });
    if (onward) back();
  }
})();
