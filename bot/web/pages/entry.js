// The way in: Telegram's signed data, or a one-time link, for a session; then the calendar itself.
"use strict";
(async () => {
  const words = document.body.dataset;
  const say = (line) => { document.getElementById("say").textContent = line; };

  async function enter(initData) {
    say(words.opening);
    try {
      const refused = await telegram.enter(initData);
      if (refused) say(refused); else location.reload();
    } catch { say(words.away); }
  }

  const link = document.getElementById("link");
  if (link) {
    // A person's browser sends the form; programs that only look at links for a picture do not, and use nothing up.
    history.replaceState(null, "", location.pathname);
    link.requestSubmit();
    return;
  }
  if (!telegram.signed()) await telegram.load(); else telegram.load();
  if (telegram.signed()) await enter(telegram.signed()); else say(words.outside);
})();
