"use strict";

// Says two minutes before that the session ends, and when it has ended (WCAG 2.2.1). Without this script nothing else is lost:
// the next page then asks to sign in.
const WARNING_SECONDS = 120;

function watchSession(secondsLeft, notices) {
  const end = Date.now() + secondsLeft * 1000; // by this machine's clock alone, which may be another than the service's
  const said = new Set();

  function show(when) {
    if (said.has(when)) return;
    said.add(when);
    for (const notice of notices.children) notice.hidden = notice.dataset.when !== when;
  }

  function look() {
    const left = (end - Date.now()) / 1000;
    if (left <= 0) show("over");
    else if (left <= WARNING_SECONDS) show("soon");
  }

  notices.addEventListener("click", (event) => {
    if (event.target.closest("button, a")) event.target.closest("[data-when]").hidden = true;
  });
  setInterval(look, 5000); // a machine that has slept wakes up to the right answer
  look();
}

const secondsLeft = Number(document.body.dataset.secondsLeft);
if (secondsLeft) watchSession(secondsLeft, document.getElementById("time-out"));
