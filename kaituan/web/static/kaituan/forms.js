/* Forms: a second press does nothing while the first is on its way; steppers count; chosen pictures are shown;
   errors get the focus. */

/* ---- the double-submit guard: every form that writes, unless it says data-many ---- */
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || "many" in form.dataset || event.defaultPrevented) return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
  // After this turn, or the pressed button's own name would not be sent.
  setTimeout(() => mark(form, true));
});

function mark(form, busy) {
  for (const button of form.elements) {
    if (button.type !== "submit") continue;
    button.toggleAttribute("aria-busy", busy);
    if (busy) button.setAttribute("aria-busy", "true");
  }
  if (!busy) delete form.dataset.sent;
}

const freeAll = () => document.querySelectorAll("form[data-sent]").forEach((form) => mark(form, false));

// Coming back with the back button shows the page as it was left; a lost network must not lock the form.
addEventListener("pageshow", freeAll);
addEventListener("offline", freeAll);
document.addEventListener("htmx:afterRequest", (event) => {
  const form = event.target.closest?.("form");
  if (form) mark(form, false);
});

/* ---- steppers ---- */
document.addEventListener("click", (event) => {
  const button = event.target.closest(".stepper > button");
  if (!button) return;
  const input = button.parentElement.querySelector("input");
  const before = input.value;
  if (button.dataset.step === "up") {
    input.stepUp();
  } else {
    input.stepDown();
  }
  if (input.value === "0" && document.activeElement === button) button.parentElement.lastElementChild.focus();
  if (input.value !== before) input.dispatchEvent(new Event("input", { bubbles: true }));
});

document.addEventListener("input", (event) => {
  const stepper = event.target.closest(".stepper");
  if (stepper) show(stepper);
  const form = event.target.form;
  if (form?.dataset.total) total(form);
});

function show(stepper) {
  const input = stepper.querySelector("input");
  const value = Number(input.value) || 0;
  const [down, up] = stepper.querySelectorAll("button");
  down.disabled = value <= Number(input.min || 0);
  up.disabled = input.max !== "" && value >= Number(input.max);
  stepper.classList.toggle("some", value > Number(input.min || 0));
}

/* ---- the running total of a basket: each input has data-price-fen and data-per (steps that the price is for) ----
   It is for the eye; what is due is computed by the server. The amount goes to the element named by
   the form's data-total, the number of things to data-count; [data-when-some] shows only when there is
   something in the basket, [data-when-none] (hidden by the server) only when there is not. */
function total(form) {
  let fen = 0n;
  let things = 0;
  for (const input of form.querySelectorAll("input[data-price-fen]")) {
    const quantity = Number(input.value) || 0;
    if (quantity <= 0) continue;
    things += 1;
    const steps = BigInt(Math.round(quantity * Number(input.dataset.stepsPerUnit || 1)));
    const per = BigInt(input.dataset.per || 1);
    fen += (2n * BigInt(input.dataset.priceFen) * steps + per) / (2n * per);
  }
  const amount = money(fen);
  for (const place of document.querySelectorAll(form.dataset.total)) place.replaceChildren(amount.cloneNode(true));
  for (const place of document.querySelectorAll("[data-when-some]")) place.hidden = things === 0;
  for (const place of document.querySelectorAll("[data-when-none]")) place.hidden = things > 0;
  if (!form.dataset.count) return;
  for (const place of document.querySelectorAll(form.dataset.count)) place.textContent = String(things);
}

const grouped = (yuan) => String(yuan).replace(/\B(?=(\d{3})+$)/g, ",");

/* The same shape as the server's money filter. */
function money(fen) {
  const whole = element("span", "");
  whole.className = "money";
  whole.append(element("i", "¥"), `${grouped(fen / 100n)}.`, element("small", String(fen % 100n).padStart(2, "0")));
  return whole;
}

function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

/* ---- pictures that were chosen, before they are sent: input[type=file][data-previews] ---- */
document.addEventListener("change", (event) => {
  if (event.target.matches?.("input[type=file][data-previews]")) preview(event.target);
});

function preview(input) {
  const list = input.parentElement.querySelector(".previews") ?? document.createElement("ul");
  list.className = "previews";
  list.querySelectorAll("img").forEach((image) => URL.revokeObjectURL(image.src));
  list.replaceChildren(...[...input.files].map(chosen));
  input.after(list);
}

function chosen(file) {
  const item = document.createElement("li");
  const image = document.createElement("img");
  image.alt = "";
  image.src = URL.createObjectURL(file);
  // A file that is no picture still has its name; the server says what is wrong with it.
  image.addEventListener("error", () => image.remove());
  item.append(image, element("span", file.name));
  return item;
}

/* ---- at the start, and after each swap ---- */
function wake(root) {
  root.querySelectorAll(".stepper").forEach(show);
  root.querySelectorAll("form[data-total]").forEach(total);
  root.querySelector(".error-summary")?.focus();
}

wake(document);
document.addEventListener("htmx:load", (event) => wake(event.target));
