// What pages gain with script: the private area drawn in place, answers that appear by themselves, a way out by key.
// Everything also works without. Nothing is kept: no storage, no history entry, no request but to this program.

const IDLE_MS = 5 * 60 * 1000;
const find = (selector, root = document) => root.querySelector(selector);
const inArea = () => find("form[data-leave]") !== null;

// What the program drew when it started. Once it has stopped, others may take its port: they do not know this, so nothing
// of theirs is drawn and nothing is sent to them.
const RUN = document.documentElement.dataset.run;
const SILENT = "The program does not answer. Nothing was sent. Start it again, then come back.";
let lost = false;
function know(run) {
  lost = run !== RUN;
  if (lost) throw new Error("not the program that made this page");
}
const meet = async () => know(await (await fetch("/run")).text());

// The page under the area: its own nodes, untouched, and where it was scrolled to.
let under = null;

async function ask(url, fields) {
  if (fields) await meet();
  const file = fields && [...fields.values()].some((value) => value instanceof File);
  const body = file ? fields : new URLSearchParams(fields);
  const answer = await fetch(url, fields ? { method: "POST", body } : {});
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  know(page.documentElement.dataset.run);
  return { url: answer.url, page, main: find("main", page) };
}

function draw(main) {
  find("main").replaceWith(document.adoptNode(main));
}

// ---- the private area -------------------------------------------------------------------------------------------

async function enter(link) {
  const { main } = await ask(link.href);
  under ??= { main: find("main"), top: scrollY, link };
  show(main);
}

function show(main) {
  draw(main);
  scrollTo(0, 0);
  const first = find("[data-focus]") ?? find("h1");
  if (first.tagName === "H1") first.tabIndex = -1;
  first.focus({ preventScroll: true });
}

async function step(form, button) {
  if (form.dataset.busy) return;
  form.dataset.busy = "1";
  form.setAttribute("aria-busy", "true");
  try {
    const { url, main } = await ask(form.action, new FormData(form, button));
    if (!form.isConnected) return; // left while the answer was on its way
    if (new URL(url).pathname !== new URL(form.action).pathname) location.replace(url);
    else show(main);
  } catch {
    say(form, SILENT);
  } finally {
    delete form.dataset.busy;
    form.removeAttribute("aria-busy");
  }
}

function say(place, words) {
  const line = document.createElement("p");
  line.className = "problem";
  line.setAttribute("role", "alert");
  line.textContent = words;
  find(".problem", place)?.remove();
  place.prepend(line);
}

// Back to the same article at the same place, first; then the program is told to lock, and what was being written goes
// along, to be kept there. A browser sends no more than 64 KiB after a page has gone.
function leave() {
  const form = find("form[data-leave]");
  if (!form) return;
  const writing = find("form#writing");
  const fields = [...(writing ? new FormData(writing) : []), ...new FormData(form)];
  const body = new URLSearchParams(fields);
  const told = lost
    ? Promise.reject()
    : fetch(form.action, { method: "POST", body, keepalive: String(body).length < 60_000 });
  if (under) {
    const { main, top, link } = under;
    under = null;
    draw(main);
    link.focus({ preventScroll: true });
    scrollTo({ top, behavior: "instant" });
    told.catch(() => {});
  } else {
    find("main").replaceChildren();
    told.then((answer) => location.replace(answer.url)).catch(() => lost || location.replace("/"));
  }
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-in-place]");
  if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  if (!inArea()) enter(link).catch(() => say(link.parentElement, SILENT));
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.matches("[data-leave]") || event.submitter?.value === "leave") leave();
  else if (form.matches("[data-step]")) step(form, event.submitter);
  else if (form.method === "post" && form !== met) send(form, event.submitter);
  else return;
  event.preventDefault();
});

// What the browser sends by itself waits until it is known who gets it. A double press is one: a page that stays all the same,
// because its answer did not come, can be sent again after a while.
let met = null;
async function send(form, button) {
  if (form.dataset.busy) return;
  form.dataset.busy = "1";
  setTimeout(() => delete form.dataset.busy, 3000);
  try {
    await meet();
    met = form;
    form.requestSubmit(button);
  } catch {
    say(form, SILENT);
  } finally {
    met = null;
  }
}

let escaped = 0;
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") escaped = 0;
  else if (event.timeStamp - escaped < 1000) leave();
  else escaped = event.timeStamp;
});

// A page put aside by the browser must not hold the area, and is asked for again when it comes back.
addEventListener("pagehide", leave);
addEventListener("pageshow", (event) => {
  if (event.persisted && !find("main").hasChildNodes()) location.replace("/");
});

// Blank while another window is in front; locked after five minutes without a key or a click.
// What is hidden loses the keyboard, so it is given back.
let held = null;
function blank(on) {
  const hidden = on && inArea();
  if (hidden) held ??= document.activeElement;
  find("main").classList.toggle("blank", hidden);
  if (hidden || !held) return;
  const back = held;
  held = null;
  back.focus({ preventScroll: true });
}
addEventListener("blur", () => blank(true));
for (const kind of ["focus", "pointerdown", "keydown"]) addEventListener(kind, () => blank(false), true);

let idle = 0;
let last = Date.now();
let woke = false;
const awake = () => {
  // A computer that slept: the timer did not go on meanwhile, and the key that woke it says nothing of who pressed it. The desk's
  // screen may be locked by now: what is shown is asked for at once.
  if (Date.now() - last >= IDLE_MS) {
    woke = true;
    leave();
  }
  clearTimeout(idle);
  idle = setTimeout(leave, IDLE_MS);
  last = Date.now();
};
for (const kind of ["keydown", "pointerdown"]) addEventListener(kind, awake, true);
awake();

// ---- forms ------------------------------------------------------------------------------------------------------

// Six boxes, one word each: a space goes to the next, several words at once spread over those that follow.
document.addEventListener("input", (event) => {
  const row = event.target.closest?.("[data-words]");
  if (!row || !/\s/.test(event.target.value)) return;
  const boxes = [...row.querySelectorAll("input[type=text]")];
  const words = event.target.value.trimStart().split(/\s+/);
  let place = boxes.indexOf(event.target);
  for (const word of words) {
    if (place >= boxes.length) break;
    boxes[place].focus();
    if (word || place === boxes.indexOf(event.target)) boxes[place].value = word;
    place += 1;
  }
});

// The meter follows the writing.
let measuring = 0;
document.addEventListener("input", (event) => {
  const button = event.target.form && find("button[data-measure]", event.target.form);
  if (!button) return;
  clearTimeout(measuring);
  measuring = setTimeout(() => swap("meter", button.form.action, new FormData(button.form, button)), 400);
});

// An answer being written at a desk is kept there until it is sent, so that a locked screen does not lose it.
let keeping = 0;
let keep = null;
document.addEventListener("input", (event) => {
  const form = event.target.form;
  if (!form?.dataset.keep) return;
  clearTimeout(keeping);
  keep = () => {
    keep = null;
    if (lost) return;
    fetch(form.dataset.keep, { method: "POST", body: new URLSearchParams(new FormData(form)), keepalive: true })
      .catch(() => {});
  };
  keeping = setTimeout(() => meet().then(() => keep?.(), () => {}), 400);
});
document.addEventListener("submit", (event) => {
  if (event.target.dataset.keep) keep = null;
  else keep?.();
});
addEventListener("pagehide", () => keep?.());

// ---- what changes by itself -------------------------------------------------------------------------------------

// Puts the newest state of some regions into the page; the whole page, if it no longer has them.
async function swap(ids, url, fields) {
  const olds = ids.split(" ").map((id) => document.getElementById(id));
  try {
    const { page, main } = await ask(url, fields);
    if (!olds.every((old) => old.isConnected)) return;
    const news = olds.map((old) => page.getElementById(old.id));
    if (main && !news.every(Boolean)) draw(main);
    else olds.forEach((old, n) => renew(old, news[n]));
  } catch {
    // the program was stopped, and perhaps another answers: the page stays as it is
  }
}

function renew(old, now) {
  if (now.innerHTML === old.innerHTML) return;
  const held = old.contains(document.activeElement) && document.activeElement.getAttribute("href");
  old.replaceChildren(...document.adoptNode(now).childNodes);
  if (held) find(`[href="${CSS.escape(held)}"]`, old)?.focus({ preventScroll: true });
}

const due = new WeakMap();
setInterval(() => {
  if (Date.now() - last >= IDLE_MS) awake();
  const asks = woke && !document.hidden;
  if (asks) woke = false;
  for (const part of document.querySelectorAll("[data-every]")) {
    const now = performance.now();
    if (!due.has(part)) due.set(part, now + Number(part.dataset.every));
    if ((now < due.get(part) && !asks) || document.hidden) continue;
    due.set(part, now + Number(part.dataset.every));
    if (part.matches("form")) swap(part.dataset.swap, part.action, new FormData(part));
    else swap(part.dataset.swap ?? part.id, part.dataset.live);
  }
}, 250);
