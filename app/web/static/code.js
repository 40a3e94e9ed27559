// The page where the code from a message is entered. Without scripts it works too: the server counts the pause.
(() => {
  "use strict";
  const proof = document.querySelector("form[data-code]");
  const field = proof.elements.digits, [check, again] = proof.querySelectorAll("button");
  const wanted = Number(proof.dataset.code);
  const words = [check.textContent, again.textContent];
  let sentAt = -Infinity;
  proof.addEventListener("submit", (event) => {
    if (event.submitter && event.submitter !== check) return;
    if (performance.now() - sentAt < 10000) return event.preventDefault(); // a second tap
    sentAt = performance.now();
    check.textContent = check.dataset.sending;
    check.setAttribute("aria-busy", "true");
  });
  addEventListener("pageshow", () => {
    sentAt = -Infinity;
    check.textContent = words[0];
    check.removeAttribute("aria-busy");
  });
  let sends = true;
  field.addEventListener("input", () => { // the last digit sends, once: who corrects it presses the button
    if (!sends || field.value.replace(/\D/g, "").length !== wanted) return;
    sends = false;
    check.click();
  });
  // Counted by the clock: a page in the background is not told of every second.
  const until = Date.now() + Number(again.dataset.rest) * 1000;
  const count = () => {
    const rest = Math.ceil((until - Date.now()) / 1000);
    again.disabled = rest > 0;
    again.textContent = rest > 0 ? `${words[1]} (${rest})` : words[1];
    if (rest > 0) setTimeout(count, 250);
  };
  count();
  // Chrome on Android offers the code by itself where the message names this page's host.
  if ("OTPCredential" in window) {
    navigator.credentials.get({ otp: { transport: ["sms"] } }).then((got) => {
      field.value = got.code;
      field.dispatchEvent(new Event("input"));
    }).catch(() => {}); // not offered, or declined
  }
})();
