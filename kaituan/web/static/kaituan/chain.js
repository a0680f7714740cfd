/* The live chain. <ol class="thread" data-chain data-stream="URL" data-poll="URL" data-mine="3 14">, filled by
   the server; a <template data-chain-entry> in it shows how an entry looks.

   The stream sends events named `chain`, the poll answers {"entries": [...]}, both with entries
   {"number": 33, "name": "林**", "items": "橙子 ×2", "state": "" | "waiting" | "done" | "lost", "at": "18:32"}.
   An entry whose number is shown already replaces it. All of it is set as text, never as HTML. */

const PATIENCE = 8_000; // ms without a word from the stream before the poll takes over
const EVERY = 15_000;

class Chain {
  constructor(list) {
    this.list = list;
    this.mine = new Set((list.dataset.mine || "").split(/\s+/).filter(Boolean));
    this.template = list.querySelector("template[data-chain-entry]");
    if (list.dataset.stream && "EventSource" in window) this.listen();
    else this.poll();
    document.addEventListener("visibilitychange", () => document.hidden || this.ask());
  }

  listen() {
    this.stream = new EventSource(this.list.dataset.stream);
    const worried = setTimeout(() => this.poll(), PATIENCE);
    this.stream.addEventListener("open", () => {
      clearTimeout(worried);
      this.stopPolling();
      this.ask(); // what was missed while not connected
    });
    this.stream.addEventListener("chain", (event) => this.take([JSON.parse(event.data)].flat()));
    this.stream.addEventListener("error", () => this.poll());
  }

  poll() {
    if (!this.list.dataset.poll || this.timer) return;
    this.timer = setInterval(() => document.hidden || this.ask(), EVERY);
  }

  stopPolling() {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  async ask() {
    if (!this.list.dataset.poll) return;
    try {
      const answer = await fetch(this.list.dataset.poll, { headers: { Accept: "application/json" } });
      if (answer.ok) this.take((await answer.json()).entries);
    } catch {
      // No network: the next round tries again.
    }
  }

  take(entries) {
    for (const entry of entries) this.put(entry);
    const shown = this.list.querySelectorAll("li[data-number]").length;
    document.querySelectorAll("[data-chain-count]").forEach((place) => (place.textContent = shown));
  }

  put(entry) {
    const old = this.list.querySelector(`li[data-number="${Number(entry.number)}"]`);
    const item = this.template.content.firstElementChild.cloneNode(true);
    const mine = this.mine.has(String(entry.number));
    const classes = [entry.state, mine ? "mine" : ""].filter((name) => /^[a-z]+$/.test(name));
    item.dataset.number = Number(entry.number);
    item.classList.add(...classes);
    item.querySelector(".bead").classList.add(...classes);
    item.querySelector(".bead > .of").textContent = entry.number;
    item.querySelector(".tick").toggleAttribute("hidden", entry.state !== "done");
    item.querySelector(".name").textContent = entry.name;
    item.querySelector(".items").textContent = entry.items;
    item.querySelector("time").textContent = entry.at || "";
    if (old) {
      old.replaceWith(item);
      return;
    }
    item.classList.add("arriving");
    const after = this.successor(Number(entry.number));
    this.list.insertBefore(item, after);
    this.renumberNext(Number(entry.number));
  }

  successor(number) {
    const later = [...this.list.querySelectorAll("li[data-number]")].find((li) => Number(li.dataset.number) > number);
    return later ?? this.list.querySelector("li[data-next]");
  }

  renumberNext(number) {
    const place = this.list.querySelector("li[data-next] .bead > .of");
    if (place && Number(place.textContent) <= number) place.textContent = number + 1;
  }
}

document.querySelectorAll("[data-chain]").forEach((list) => new Chain(list));
