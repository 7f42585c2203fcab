"use strict";
(() => {
  const columns = document.getElementById("columns");
  const state = document.getElementById("state");
  const opened = new Set();
  const chosen = {};
  const seen = new Set();
  let timer = 0;
  let asked = 0;

  const atEnd = (box) => box.scrollHeight - box.scrollTop - box.clientHeight < 80;
  const name = (post) => post.closest(".channel").id + "/" + post.dataset.post;

  function choose(tab) {
    for (const other of tab.parentElement.children) {
      const on = other === tab;
      other.setAttribute("aria-selected", String(on));
      other.tabIndex = on ? 0 : -1;
      document.getElementById(other.getAttribute("aria-controls")).hidden = !on;
    }
    chosen[tab.parentElement.getAttribute("aria-label")] = tab.id;
    const chat = document.getElementById(tab.getAttribute("aria-controls")).querySelector(".chat");
    if (chat) chat.scrollTop = chat.scrollHeight;
  }

  function open(button) {
    button.previousElementSibling.classList.remove("clamp");
    button.setAttribute("aria-expanded", "true");
    button.hidden = true;
    opened.add(name(button.closest("[data-post]")));
  }

  function settle(first) {
    for (const list of columns.querySelectorAll(".tabs")) {
      const kept = chosen[list.getAttribute("aria-label")];
      choose((kept && document.getElementById(kept)) || list.children[0]);
    }
    for (const post of columns.querySelectorAll("[data-post]")) {
      const key = name(post);
      const more = post.querySelector(".more");
      if (more && opened.has(key)) open(more);
      if (!seen.has(key) && !first) post.classList.add("fresh");
      seen.add(key);
    }
  }

  async function refresh() {
    const turn = ++asked;
    const answer = await fetch("?part=1", { cache: "no-store" });
    if (!answer.ok) throw new Error(String(answer.status));
    const fresh = await answer.text();
    if (turn !== asked) return;  // a later look is on its way or has been taken
    const places = new Map();
    for (const box of columns.querySelectorAll(".channel[id] .feed")) {
      places.set(box.closest(".channel").id, { top: box.scrollTop, end: box.classList.contains("chat") && atEnd(box) });
    }
    columns.innerHTML = fresh;
    settle(false);
    for (const box of columns.querySelectorAll(".channel[id] .feed")) {
      const place = places.get(box.closest(".channel").id);
      if (!place || place.end) { if (box.classList.contains("chat")) box.scrollTop = box.scrollHeight; }
      else box.scrollTop = place.top;
    }
  }

  function alive(on) {
    state.textContent = on ? "оновлюється сама" : "зв’язку немає, пробую ще";
    state.parentElement.classList.toggle("away", !on);
  }

  async function ask() {
    clearTimeout(timer);
    try { await refresh(); alive(true); } catch { alive(false); }
    timer = setTimeout(ask, 5000);
  }

  columns.addEventListener("click", (event) => {
    const tab = event.target.closest("[role=tab]");
    const more = event.target.closest(".more");
    if (tab) choose(tab);
    if (more) open(more);
  });
  columns.addEventListener("keydown", (event) => {
    const tab = event.target.closest("[role=tab]");
    const next = { ArrowRight: "nextElementSibling", ArrowLeft: "previousElementSibling" }[event.key];
    if (tab && next && tab[next]) { choose(tab[next]); tab[next].focus(); }
  });

  settle(true);
  for (const chat of columns.querySelectorAll(".chat")) chat.scrollTop = chat.scrollHeight;
  addEventListener("load", () => { for (const chat of columns.querySelectorAll(".chat")) chat.scrollTop = chat.scrollHeight; });
  if ("EventSource" in window) {
    const events = new EventSource("/events");
    events.onmessage = () => { refresh().then(() => alive(true), () => alive(false)); };
    // What changed between the page and this connection was told to nobody: look once more.
    events.onopen = () => { clearTimeout(timer); refresh().then(() => alive(true), () => alive(false)); };
    events.onerror = () => { alive(false); clearTimeout(timer); timer = setTimeout(ask, 5000); };
  } else {
    timer = setTimeout(ask, 5000);
  }
})();
