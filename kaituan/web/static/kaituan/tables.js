/* Tables by keyboard: `/` to the search, j and k to move, Enter to open, x to tick, ? for this list.
   Rows of <table class="data" data-rows>; a row opens by its first link, or the one marked data-open. */

const typing = (element) => element.closest("input, select, textarea, [contenteditable]");

addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (typing(event.target)) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const act = KEYS[event.key];
  if (act?.(event)) event.preventDefault();
});

const KEYS = {
  "/": () => focusSearch(),
  j: () => move(1),
  k: () => move(-1),
  Enter: (event) => event.target === document.body && open(),
  x: () => tick(),
  "?": () => help(),
};

function rows() {
  return [...document.querySelectorAll("table[data-rows] > tbody > tr")].filter((row) => !row.hidden);
}

function current() {
  return document.querySelector("table[data-rows] tr[data-current]");
}

function move(by) {
  const all = rows();
  if (!all.length) return false;
  const at = all.indexOf(current());
  const next = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + by, 0), all.length - 1)];
  current()?.removeAttribute("data-current");
  next.setAttribute("data-current", "");
  next.scrollIntoView({ block: "nearest" });
  if (document.activeElement !== document.body) document.activeElement.blur();
  return true;
}

function open() {
  const row = current();
  const link = row?.querySelector("a[data-open]") ?? row?.querySelector("a[href]");
  link?.click();
  return Boolean(link);
}

function tick() {
  const box = current()?.querySelector("input[type=checkbox]");
  box?.click();
  return Boolean(box);
}

function focusSearch() {
  const search = document.querySelector("[data-search]");
  search?.focus();
  search?.select?.();
  return Boolean(search);
}

function help() {
  const sheet = document.querySelector("#keys");
  if (sheet) sheet.open = !sheet.open;
  return Boolean(sheet);
}

/* Ticking the box in the head ticks all. */
document.addEventListener("change", (event) => {
  if (!event.target.matches("[data-tick-all]")) return;
  const boxes = event.target.closest("table").querySelectorAll("tbody input[type=checkbox]");
  boxes.forEach((box) => (box.checked = event.target.checked));
});
