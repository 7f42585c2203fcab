// The calendar's page: keeps itself fresh, opens a post, and sends what was moved where.
"use strict";
(() => {
  const calendar = document.getElementById("calendar");
  const sheet = document.getElementById("sheet");
  const toast = document.getElementById("toast");
  const moves = document.getElementById("moves");
  const words = document.getElementById("words").dataset;
  const { nonce, person } = document.body.dataset;
  let busy = false;      // a post is in the air: the page must not change under it
  let stale = false;     // something changed meanwhile
  let over = false;
  let asked = 0;
  let timer = 0;
  let fading = 0;

  // --- what is said -------------------------------------------------------------------------------------------------

  function tell(line, refused = false) {
    clearTimeout(fading);
    toast.textContent = line;
    toast.className = line ? (refused ? "shown refused" : "shown") : "";
    if (line) fading = setTimeout(() => tell(""), refused ? 9000 : 5000);
  }

  function alive(on) {
    const state = document.getElementById("state");
    if (!state || over) return;
    state.textContent = on ? words.fresh : words.away;
    document.getElementById("pulse").classList.toggle("away", !on);
  }

  function finish(line) {
    over = true;
    events?.close();
    clearTimeout(timer);
    clearTimeout(fading);
    toast.textContent = typeof line === "string" && line ? line : words.over;
    toast.className = "shown refused";
    document.getElementById("pulse")?.classList.add("away");
    document.getElementById("state")?.replaceChildren();
  }

  // --- what is shown ------------------------------------------------------------------------------------------------

  async function refresh() {
    if (over) return;
    if (busy) { stale = true; return; }
    const turn = ++asked;
    clearTimeout(timer);
    timer = setTimeout(refresh, 30000);  // time itself moves on, events or not
    try {
      const address = new URL(location.href);
      address.hash = "";
      address.searchParams.set("part", "1");
      const answer = await fetch(address, { cache: "no-store" });
      if (answer.status === 403) { finish((await answer.json().catch(() => ({}))).detail); return; }
      if (!answer.ok) throw new Error(String(answer.status));
      const text = await answer.text();
      if (turn !== asked) return;
      if (busy) { stale = true; return; }
      const mark = (answer.headers.get("ETag") || "").replace(/^W\/|"/g, "");
      if (!mark || mark !== calendar.dataset.mark) show(text, mark);
      alive(true);
    } catch { alive(false); }
  }

  function show(text, mark) {
    calendar.dataset.mark = mark;
    const focused = document.activeElement;
    const held = calendar.contains(focused) ? focused.closest("[data-delivery]")?.dataset.delivery : null;
    const inner = held && !focused.matches("[data-delivery]");
    const href = !held && calendar.contains(focused) ? focused.getAttribute("href") : null;
    calendar.innerHTML = text;
    if (held) {
      const card = calendar.querySelector(`[data-delivery="${CSS.escape(held)}"]`);
      ((inner && card?.querySelector("a")) || card)?.focus({ preventScroll: true });
    } else if (href) {
      [...calendar.querySelectorAll("a")].find((link) => link.getAttribute("href") === href)?.focus({ preventScroll: true });
    }
  }

  function idle(on) {
    busy = on;
    if (!on && stale) { stale = false; refresh(); }
  }

  // --- writes -------------------------------------------------------------------------------------------------------

  async function write(path, what) {
    const answer = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Calendar-Nonce": nonce },
      body: JSON.stringify(what),
    });
    const told = await answer.json().catch(() => ({}));
    return { ok: answer.ok, line: (answer.ok ? told.line : told.detail) || words.failed };
  }

  async function change(path, what, back) {
    let result = { ok: false, line: words.failed };
    try { result = await write(path, what); } catch { /* said below */ }
    if (!result.ok) back?.(); else calendar.dataset.mark = "";
    tell(result.line, !result.ok);
    telegram.buzz(result.ok ? "success" : "error");
    busy = stale = false;
    await refresh();
    return result.ok;
  }

  function drop(card, place) {
    const home = card.parentElement;
    const next = card.nextSibling;
    const hadFocus = document.activeElement === card;
    idle(true);
    place.append(card);
    card.classList.add("saving");
    if (hadFocus) card.focus({ preventScroll: true });
    change("app/move", { delivery: Number(card.dataset.delivery), at: place.dataset.at }, () => {
      card.classList.remove("saving");
      home.insertBefore(card, next);
      if (hadFocus) card.focus({ preventScroll: true });
    });
  }

  // --- one post -----------------------------------------------------------------------------------------------------

  let opener = null;
  async function open(card) {
    opener = card.dataset.delivery;
    try {
      const answer = await fetch(`app/post/${encodeURIComponent(opener)}?part=1`, { cache: "no-store" });
      if (!answer.ok) { tell((await answer.json().catch(() => ({}))).detail || words.failed, true); return; }
      sheet.innerHTML = await answer.text();
    } catch { tell(words.failed, true); return; }
    if (!sheet.open) sheet.showModal();
    sheet.querySelector("h2")?.focus();
  }

  sheet.addEventListener("click", (event) => {
    if (event.target === sheet || event.target.closest(".close")) { event.preventDefault(); sheet.close(); }
    const form = event.target.closest(".unpin")?.closest("form");
    if (form) settle("app/unpin", { delivery: Number(form.dataset.delivery) });
  });
  sheet.addEventListener("close", () => {
    calendar.querySelector(`[data-delivery="${CSS.escape(opener || "")}"] a`)?.focus({ preventScroll: true });
  });
  sheet.addEventListener("submit", (event) => {
    event.preventDefault();
    const form = event.target;
    settle("app/move", { delivery: Number(form.dataset.delivery), wall: form.elements.wall.value });
  });
  async function settle(path, what) {
    sheet.close();
    await change(path, what);
  }

  calendar.addEventListener("click", (event) => {
    const card = event.target.closest("[data-delivery]");
    if (!card || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    open(card);
  });

  moving.tell({ drop, open, busy: idle, say(line) { moves.textContent = line; } });

  // --- the beginning ------------------------------------------------------------------------------------------------

  let events = null;
  if ("EventSource" in window) {
    events = new EventSource("app/events");
    events.onmessage = refresh;
    events.onopen = refresh;  // what changed before was told to nobody
    events.addEventListener("over", () => finish());
    events.onerror = () => { alive(false); setTimeout(refresh, 5000); };
  }
  addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
  timer = setTimeout(refresh, 30000);

  history.scrollRestoration = "manual";
  const marked = calendar.querySelector(".day .now, .week .now");
  const first = calendar.querySelector(".day [data-full]");
  // Where something waits for a decision, that comes first; else the hour that it is.
  const urgent = calendar.querySelector(".banner, .tray");
  if (!urgent && !location.hash.startsWith("#calendar")) (marked || first)?.scrollIntoView({ block: "center", behavior: "instant" });

  if (telegram.inside) telegram.load();
  if (telegram.person() && telegram.person() !== person) {
    // Another account of this Telegram opened the calendar than the one whose session is still here.
    telegram.enter(telegram.signed()).then((refused) => { if (refused) finish(refused); else location.reload(); }, () => finish());
  }
})();
