/* What a page that is the same for everybody leaves out. On <ol data-chain data-personal="URL"> the URL answers
   {"mine": [3, 14]}: the visitor's own numbers, which are marked in the chain and told in [data-joined]. */

async function show(list) {
  let mine = [];
  try {
    const answer = await fetch(list.dataset.personal, { headers: { Accept: "application/json" } });
    if (answer.ok) mine = (await answer.json()).mine;
  } catch {
    return; // No network: the page is whole without it.
  }
  if (!mine.length) return;
  list.dataset.mine = mine.join(" ");
  for (const number of mine) {
    const item = list.querySelector(`li[data-number="${Number(number)}"]`);
    item?.classList.add("mine");
    item?.querySelector(".bead")?.classList.add("mine");
  }
  for (const notice of document.querySelectorAll("[data-joined]")) {
    notice.querySelector("[data-joined-numbers]").textContent = mine.join(", ");
    notice.hidden = false;
  }
}

document.querySelectorAll("[data-personal]").forEach(show);
