// Small comforts; every page works without them.
(() => {
  "use strict";

  // Copy buttons show where copying works.
  for (const button of document.querySelectorAll("[data-copy]")) {
    if (!navigator.clipboard) continue;
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.dataset.copy);
      const words = button.querySelector("span");
      const before = words.textContent;
      words.textContent = button.dataset.done;
      setTimeout(() => { words.textContent = before; }, 2000);
    });
  }

  // A new password is typed once, since it can be looked at.
  for (const button of document.querySelectorAll("[data-show]")) {
    const input = button.previousElementSibling;
    button.hidden = false;
    button.addEventListener("click", () => {
      const shown = input.type === "text";
      input.type = shown ? "password" : "text";
      button.textContent = shown ? button.dataset.show : button.dataset.hide;
      button.setAttribute("aria-pressed", String(!shown));
      input.focus();
    });
    input.form.addEventListener("submit", () => { input.type = "password"; });
  }

  // A menu closes on Escape and when something else is touched; one is open at a time.
  const menus = document.querySelectorAll("details.menu, details.rest");
  document.addEventListener("click", (event) => {
    for (const menu of menus) if (menu.open && !menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of menus) {
      if (!menu.open) continue;
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });

  // What is wrong with a form is where one reads first.
  const faults = document.getElementById("faults");
  if (faults) (document.querySelector("[aria-invalid]:not(fieldset)") || faults).focus();

  // A file that is too large is refused before anything is sent: the page stays, with all that was typed.
  document.addEventListener("change", (event) => {
    const input = event.target;
    if (!input.matches("input[type=file][data-most]")) return;
    const told = `${input.id}-heavy`;
    document.getElementById(told)?.remove();
    document.getElementById(`${input.id}-fault`)?.remove(); // of another file
    const is_heavy = [...input.files].some((file) => file.size > Number(input.dataset.most));
    const said = (input.getAttribute("aria-describedby") || "").split(" ").filter((id) => id && id !== told && id !== `${input.id}-fault`);
    if (is_heavy) {
      event.stopImmediatePropagation();
      input.value = "";
      said.push(told);
      const fault = document.createElement("strong");
      fault.className = "fault";
      fault.id = told;
      fault.setAttribute("role", "alert");
      fault.textContent = input.dataset.heavy;
      input.after(fault);
    }
    input.toggleAttribute("aria-invalid", false);
    if (is_heavy) input.setAttribute("aria-invalid", "true");
    if (said.length) input.setAttribute("aria-describedby", said.join(" "));
    else input.removeAttribute("aria-describedby");
  }, true);

  // A form is sent once, however often it is tapped.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.sent) { event.preventDefault(); return; }
    if (form.method !== "post") return;
    form.dataset.sent = "yes";
    if (event.submitter) event.submitter.setAttribute("aria-busy", "true");
  });
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) {
      delete form.dataset.sent;
      for (const button of form.querySelectorAll("[aria-busy]")) button.removeAttribute("aria-busy");
    }
  });
})();
