/* Copy to the clipboard: <button data-copy="#id-of-text" data-copied="Copied">, or data-copy-text="words".
   Where the clipboard is refused, the text is selected, so that a long press copies it. */

import { say } from "./say.js";

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy], [data-copy-text]");
  if (!button) return;
  event.preventDefault();
  const source = button.dataset.copy ? document.querySelector(button.dataset.copy) : null;
  const text = source ? (source.value ?? source.textContent) : button.dataset.copyText;
  if (await written(text.trim(), source)) {
    say(button.dataset.copied || "✓");
  } else {
    say(button.dataset.selected || button.dataset.copied || "✓");
  }
});

async function written(text, source) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Older web views know only the selection.
  }
  const holder = source ?? hiddenArea(text);
  select(holder);
  const done = document.execCommand("copy");
  if (!source) holder.remove();
  return done;
}

function select(holder) {
  if (holder.select) {
    holder.select();
  } else {
    getSelection().selectAllChildren(holder);
  }
}

function hiddenArea(text) {
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "unseen";
  document.body.append(area);
  return area;
}
