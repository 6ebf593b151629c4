"use strict";

// Says two minutes before that the session ends, and when it has ended (WCAG 2.2.1); then nobody who comes by the screen reads
// on. What was written stays, and is there again when the same reader has signed in in another tab. Without this script
// nothing else is lost: the next page then asks to sign in.
const WARNING_SECONDS = 120;

function watchSession(secondsLeft, reader, notices, main) {
  let end = Date.now() + secondsLeft * 1000; // by this machine's clock alone, which may be another than the service's
  let said = null;

  function show(when) {
    if (said === when) return;
    said = when;
    for (const notice of notices.children) notice.hidden = notice.dataset.when !== when;
    main.hidden = when === "over";
  }

  function look() {
    const left = (end - Date.now()) / 1000;
    if (left <= 0) show("over");
    else if (left <= WARNING_SECONDS) show("soon");
    else show("none");
  }

  async function ask() {
    look();
    if (said === "none") return;
    try {
      const session = await (await fetch("/ui/session", { cache: "no-store" })).json();
      if (session.reader === reader) end = Date.now() + session.seconds_left * 1000;
      else if (session.reader) location.reload(); // somebody else's session: what was here is not hers to read
    } catch {
      // The service is away: it stays as it is, and is asked again.
    }
    look();
  }

  notices.addEventListener("click", (event) => {
    if (event.target.closest("button, a")) event.target.closest("[data-when]").hidden = said !== "over";
  });
  function tick() {
    const before = said;
    look();
    if (said !== before) ask(); // a proxy may have brought a new token by itself
  }

  setInterval(tick, 5000); // a machine that has slept wakes up to the right answer
  window.addEventListener("focus", ask); // back from the tab where one signs in
  document.addEventListener("visibilitychange", () => document.hidden || ask());
  look();
}

const { secondsLeft, reader } = document.body.dataset;
if (reader) watchSession(Number(secondsLeft), reader, document.getElementById("time-out"), document.getElementById("main"));
