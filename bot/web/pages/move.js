// Moving a post: by mouse, by finger, by keyboard. Knows nothing of servers: it says where a post was dropped.
"use strict";
window.moving = (() => {
  const HOLD = 350;      // ms a finger rests on a post before it is picked up; its grip needs none
  const SLACK = 6;       // px a pointer may tremble
  const EDGE = 70;       // px from the edges at which the page scrolls along
  const KEYS = { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1] };

  let drag = null;       // { card, ghost, place, home, x, y }
  let pending = null;    // a pointer that is down and has not moved yet
  let keys = null;       // { card, places, at, from }
  let swallow = false;   // the click that ends a drag
  let told = { drop() {}, open() {}, busy() {}, say() {} };

  const places = () => [...document.querySelectorAll("#calendar [data-at]")];
  const dayOf = (place) => place.dataset.day || place.closest("[data-day]").dataset.day;

  function name(place) {
    const words = document.getElementById("words").dataset;
    const marks = ["past", "quiet", "paused", "closed"].filter((mark) => place.classList.contains(mark));
    return [`${dayOf(place)}, ${place.dataset.clock}`, ...marks.map((mark) => words[mark])].join(", ");
  }

  function aim(place) {
    document.querySelector(".aim")?.classList.remove("aim");
    place?.classList.add("aim");
  }

  // --- mouse and finger ---------------------------------------------------------------------------------------------

  function start() {
    const { card, x, y } = pending;
    clearTimeout(pending.timer);
    const box = card.getBoundingClientRect();
    const ghost = card.cloneNode(true);
    ghost.removeAttribute("data-delivery");
    ghost.removeAttribute("tabindex");
    ghost.setAttribute("aria-hidden", "true");
    ghost.classList.add("ghost");
    ghost.style.width = `${box.width}px`;
    const clock = document.createElement("b");
    clock.className = "clock";
    ghost.append(clock);
    document.body.append(ghost);
    drag = { card, ghost, clock, dx: x - box.left, dy: y - box.top, x, y, place: null };
    pending = null;
    card.classList.add("lifted");
    told.busy(true);
    follow();
    scroll();
  }

  function follow() {
    const { ghost, clock, x, y, dx, dy } = drag;
    ghost.style.transform = `translate(${x - dx}px, ${y - dy}px)`;
    const place = document.elementFromPoint(x, y)?.closest("[data-at]") || null;
    if (place !== drag.place) {
      drag.place = place;
      aim(place);
      clock.textContent = place ? place.dataset.clock : "";
    }
  }

  function scroll() {
    if (!drag) return;
    const below = drag.y - (innerHeight - EDGE);
    const above = EDGE - drag.y;
    const step = below > 0 ? below / 4 : above > 0 ? -above / 4 : 0;
    if (step) { scrollBy(0, step); follow(); }
    requestAnimationFrame(scroll);
  }

  function finish(dropped) {
    const { card, ghost, place } = drag;
    drag = null;
    ghost.remove();
    card.classList.remove("lifted");
    aim(null);
    swallow = true;
    setTimeout(() => { swallow = false; }, 50);
    if (dropped && place && place !== card.closest("[data-at]")) told.drop(card, place);
    else told.busy(false);
  }

  document.addEventListener("pointerdown", (event) => {
    const card = event.target.closest?.("[data-movable]");
    if (!card || event.button !== 0 || !event.isPrimary || card.classList.contains("saving")) return;
    const free = event.pointerType === "mouse" || event.target.closest(".grip");
    pending = { card, x: event.clientX, y: event.clientY, id: event.pointerId, free: Boolean(free) };
    if (!free) pending.timer = setTimeout(() => { if (pending) start(); }, HOLD);
  });
  document.addEventListener("pointermove", (event) => {
    if (drag) {
      drag.x = event.clientX;
      drag.y = event.clientY;
      follow();
    } else if (pending && event.pointerId === pending.id) {
      if (Math.hypot(event.clientX - pending.x, event.clientY - pending.y) < SLACK) return;
      if (pending.free) { start(); drag.x = event.clientX; drag.y = event.clientY; follow(); }
      else { clearTimeout(pending.timer); pending = null; }  // the finger scrolls the page
    }
  });
  const release = (dropped) => () => {
    if (pending) { clearTimeout(pending.timer); pending = null; }
    if (drag) finish(dropped);
  };
  document.addEventListener("pointerup", release(true));
  document.addEventListener("pointercancel", release(false));
  document.addEventListener("touchmove", (event) => { if (drag) event.preventDefault(); }, { passive: false });
  document.addEventListener("contextmenu", (event) => { if (drag || pending) event.preventDefault(); });
  document.addEventListener("dragstart", (event) => { if (event.target.closest?.("[data-movable]")) event.preventDefault(); });
  document.addEventListener("click", (event) => {
    if (swallow) { event.preventDefault(); event.stopPropagation(); }
  }, true);

  // --- keyboard -----------------------------------------------------------------------------------------------------

  function pick(card) {
    const all = places();
    const here = card.closest("[data-at]");
    const ahead = all.findIndex((place) => !place.classList.contains("past"));
    const from = here ? all.indexOf(here) : -1;
    keys = { card, all, from, at: from >= 0 ? from : Math.max(0, ahead) };
    card.classList.add("lifted");
    told.busy(true);
    aim(all[keys.at]);
  }

  function step(down, across) {
    // In a week hours go down and days across; in a day quarters go down and hours across.
    const week = Boolean(document.querySelector(".week"));
    const by = week ? down * 7 + across : down + across * 4;
    const next = keys.at + by;
    if (next < 0 || next >= keys.all.length) return;
    keys.at = next;
    aim(keys.all[next]);
    keys.all[next].scrollIntoView({ block: "center", behavior: "instant" });
    told.say(name(keys.all[next]));
  }

  function put(dropped) {
    const { card, all, at, from } = keys;
    keys = null;
    card.classList.remove("lifted");
    aim(null);
    if (dropped && at === from) { told.busy(false); told.open(card); return; }
    if (dropped) { told.drop(card, all[at]); return; }
    told.busy(false);
    told.say(document.getElementById("words").dataset.left);
  }

  document.addEventListener("keydown", (event) => {
    const card = event.target.closest?.("[data-movable]");
    if (drag && event.key === "Escape") { finish(false); return; }
    if (!card || event.target !== card || event.ctrlKey || event.metaKey || event.altKey) return;
    if (KEYS[event.key]) {
      if (!keys) pick(card);
      step(...KEYS[event.key]);
    } else if (event.key === "Enter" || event.key === " ") {
      if (keys) put(true);
      else { pick(card); told.say(document.getElementById("words").dataset.picked); }
    } else if (event.key === "Escape" && keys) put(false);
    else return;
    event.preventDefault();
  });
  document.addEventListener("focusout", (event) => { if (keys && event.target === keys.card) put(false); });

  return { tell(listener) { told = { ...told, ...listener }; } };
})();
