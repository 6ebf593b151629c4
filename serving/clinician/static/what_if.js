// Shows the chosen answer beside its slider, and waits where many answers were tried in a short time.
"use strict";
(() => {
  const TOO_MANY_REQUESTS = 429;
  const form = document.getElementById("what-if");
  const wait = document.getElementById("what-if-wait");
  const unreachable = document.getElementById("what-if-unreachable");
  let again = 0;

  form.addEventListener("input", (event) => {
    const output = form.querySelector(`output[for="${event.target.id}"]`);
    if (output) output.value = event.target.value;
  });

  form.addEventListener("htmx:beforeRequest", () => {
    clearTimeout(again);
    wait.hidden = unreachable.hidden = true;
  });

  document.body.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.xhr.status !== TOO_MANY_REQUESTS) return;
    event.detail.shouldSwap = false;
    wait.hidden = false;
    const seconds = Number(event.detail.xhr.getResponseHeader("Retry-After")) || 2;
    again = setTimeout(() => htmx.trigger(form, "again"), 1000 * seconds);
  });

  form.addEventListener("htmx:sendError", () => {
    unreachable.hidden = false;
  });
})();
