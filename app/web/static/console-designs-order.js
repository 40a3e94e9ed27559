// Fields of a card dragged to another place of their group; the arrows beside them do the same without.
(() => {
  "use strict";
  const form = document.querySelector("form.designer");
  if (!form) return;
  const EDGE = 70; // pixels from the edge of the window where the page begins to scroll

  const take = (list, item, grip, event) => {
    const items = () => [...list.querySelectorAll(":scope > .card-field")];
    const first = items().indexOf(item);
    grip.setPointerCapture(event.pointerId);
    item.classList.add("dragged");
    let frame = 0;
    let at = event.clientY;

    // The others move around the one that is held: taken out itself, it would lose the pointer.
    const settle = () => {
      const all = items();
      const here = all.indexOf(item);
      const middle = (other) => { const box = other.getBoundingClientRect(); return box.top + box.height / 2; };
      for (const other of all.slice(here + 1)) if (at > middle(other)) item.before(other);
      for (const other of all.slice(0, here).reverse()) if (at < middle(other)) item.after(other);
    };
    const scroll = () => {
      const by = at < EDGE ? -8 : at > window.innerHeight - EDGE ? 8 : 0;
      if (by) { window.scrollBy(0, by); settle(); }
      frame = requestAnimationFrame(scroll);
    };
    const move = (moved) => { at = moved.clientY; settle(); };
    const end = (ended) => {
      cancelAnimationFrame(frame);
      grip.removeEventListener("pointermove", move);
      for (const name of ["pointerup", "pointercancel"]) grip.removeEventListener(name, end);
      document.removeEventListener("keydown", escape);
      item.classList.remove("dragged");
      const last = items().indexOf(item);
      if (last === first) return;
      if (ended.type !== "pointerup") {
        while (items().indexOf(item) > first) item.after(item.previousElementSibling);
        while (items().indexOf(item) < first) item.before(item.nextElementSibling);
        return;
      }
      const button = form.appendChild(document.createElement("button"));
      button.hidden = true;
      button.name = "act";
      button.value = `to.${list.dataset.group}.${first}.${last}`;
      form.requestSubmit(button);
    };
    const escape = (pressed) => { if (pressed.key === "Escape") end(pressed); };
    grip.addEventListener("pointermove", move);
    for (const name of ["pointerup", "pointercancel"]) grip.addEventListener(name, end);
    document.addEventListener("keydown", escape);
    frame = requestAnimationFrame(scroll);
  };

  for (const list of form.querySelectorAll(".card-fields[data-group]")) {
    const items = list.querySelectorAll(":scope > .card-field");
    if (items.length < 2) continue;
    for (const item of items) {
      const grip = document.createElement("span");
      grip.className = "grip";
      grip.title = list.dataset.drag;
      grip.setAttribute("aria-hidden", "true"); // for pointers alone
      item.prepend(grip);
      item.classList.add("held-by-grip");
      grip.addEventListener("pointerdown", (event) => {
        if (event.button) return;
        event.preventDefault();
        take(list, item, grip, event);
      });
    }
  }
})();
