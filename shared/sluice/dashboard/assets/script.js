"use strict";
// The pages work without this file. It shows times in the viewer's zone, renews a page that changes by itself, and
// keeps a double click from sending a form twice before the server could say that it is the same.

function localTimes(root) {
  const shown = { month: "short", day: "numeric", hour: "numeric", minute: "2-digit", second: "2-digit" };
  for (const time of root.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    const year = at.getFullYear() === new Date().getFullYear() ? undefined : "numeric"; // of this year it goes without saying
    time.textContent = at.toLocaleString(undefined, { year, ...shown });
  }
}

// On a phone the navigation is one line, which may be longer than the screen.
function showPlace() {
  const nav = document.querySelector("nav");
  const here = nav?.querySelector("a[aria-current]");
  if (here && nav.scrollWidth > nav.clientWidth) nav.scrollLeft = here.offsetLeft - nav.clientWidth / 3;
}

// Where the focus is, as a place that a renewed page has too.
function placeOf(node, root) {
  const steps = [];
  for (; node && node !== root; node = node.parentElement) {
    if (!node.parentElement) return null;
    steps.unshift([...node.parentElement.children].indexOf(node));
  }
  return node ? steps : null;
}

function atPlace(steps, root) {
  return steps.reduce((node, step) => node && node.children[step], root);
}

async function renew(main) {
  const answer = await fetch(location.href, { headers: { accept: "text/html" }, redirect: "error" });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.querySelector("main");
  if (!fresh || isBusy(main)) return;
  const focused = main.contains(document.activeElement) ? placeOf(document.activeElement, main) : null;
  const open = [...main.querySelectorAll("details[open]")].map((one) => placeOf(one, main));
  const across = [...main.querySelectorAll(".scroll")].map((one) => one.scrollLeft);
  const down = window.scrollY;
  main.replaceChildren(...fresh.children);
  localTimes(main);
  for (const steps of open) atPlace(steps, main)?.setAttribute("open", "");
  [...main.querySelectorAll(".scroll")].forEach((one, place) => { one.scrollLeft = across[place] || 0; });
  window.scrollTo({ top: down });
  if (focused) atPlace(focused, main)?.focus({ preventScroll: true });
}

// Nothing is taken from under somebody's hands: a field that is being filled in, a choice that is open.
function isBusy(main) {
  const active = document.activeElement;
  return main.contains(active) && ["INPUT", "SELECT", "TEXTAREA"].includes(active.tagName);
}

localTimes(document);
showPlace();
const main = document.querySelector("main[data-refresh]");
if (main) {
  const again = async () => {
    if (!document.hidden) await renew(main).catch(() => {});
    setTimeout(again, Number(main.dataset.refresh) * 1000);
  };
  setTimeout(again, Number(main.dataset.refresh) * 1000);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) renew(main).catch(() => {}); });
}
document.addEventListener("submit", (event) => {
  if (event.target.dataset.sent) { event.preventDefault(); return; }
  event.target.dataset.sent = "yes";
  addEventListener("pageshow", () => delete event.target.dataset.sent, { once: true });
});
