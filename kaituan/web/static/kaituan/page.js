/* Small manners of every page: sheets close with Escape, a lost network is told, print buttons print. */

import { say } from "./say.js";

addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const open = document.querySelector("details.sheet[open]");
  if (!open) return;
  open.open = false;
  open.querySelector("summary").focus();
});

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-close]")) event.target.closest("details").open = false;
  if (event.target.closest("[data-print]")) print();
  if (event.target.closest("[data-share]")) share(event.target.closest("[data-share]"));
});

async function share(button) {
  try {
    await navigator.share({ text: button.dataset.share, url: button.dataset.shareUrl || location.href });
  } catch {
    // Not able, or the person thought better of it: the copy button beside it does the same.
  }
}

for (const button of document.querySelectorAll("[data-share]")) {
  button.hidden = !navigator.share;
}

/* ---- the network ---- */
const bar = document.querySelector(".offline-bar");
function showNetwork() {
  if (bar) bar.hidden = navigator.onLine;
}
addEventListener("online", showNetwork);
addEventListener("offline", showNetwork);
showNetwork();

const words = document.body.dataset;
document.addEventListener("htmx:sendError", () => say(words.notSent));
document.addEventListener("htmx:timeout", () => say(words.notSent));
document.addEventListener("htmx:responseError", (event) => {
  say(event.detail.xhr.status === 429 ? words.tooMany : words.wentWrong);
});

/* A page that htmx swapped tells about itself as a loaded page would: focus what asks for it. */
document.addEventListener("htmx:afterSwap", (event) => event.detail.target.querySelector?.("[autofocus]")?.focus());
