/* One short sentence at the bottom of the page, read out by screen readers, gone after three seconds. */

let toast;
let timer;

export function say(words) {
  clearTimeout(timer);
  toast?.remove();
  toast = document.createElement("p");
  toast.className = "toast";
  toast.setAttribute("role", "status");
  toast.textContent = words;
  document.body.append(toast);
  timer = setTimeout(() => toast.remove(), 3000);
}
