// What Telegram hands to a Mini App: who opened it, and in which colours. Works without Telegram's own script, too.
"use strict";
window.telegram = (() => {
  const SCRIPT = "https://telegram.org/js/telegram-web-app.js";
  const handed = new URLSearchParams(location.hash.slice(1));

  function kept(name) {
    // The fragment is there on the first page alone.
    try {
      if (handed.has(name)) sessionStorage.setItem(name, handed.get(name));
      return handed.get(name) ?? sessionStorage.getItem(name);
    } catch { return handed.get(name); }
  }

  const app = () => window.Telegram && window.Telegram.WebApp;
  const signed = () => handed.get("tgWebAppData") || (app() && app().initData) || "";
  const platform = kept("tgWebAppPlatform");
  const inside = Boolean(platform || window.TelegramWebviewProxy || window.parent !== window);

  function person() {
    try { return String(JSON.parse(new URLSearchParams(signed()).get("user")).id); } catch { return ""; }
  }

  // --- colours: Telegram's where they can be read, ours where not --------------------------------------------------

  function light(colour) {
    const parts = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16) / 255);
    const [r, g, b] = parts.map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  }

  function contrast(one, other) {
    const [low, high] = [light(one), light(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  }

  function dress(params) {
    const known = (name) => (/^#[0-9a-f]{6}$/i.test(params[name] || "") ? params[name] : null);
    const panel = known("section_bg_color") || known("bg_color");
    const page = known("secondary_bg_color") || known("bg_color");
    if (!panel) return;
    const root = document.documentElement;
    const dark = light(panel) < 0.2;
    root.dataset.theme = dark ? "dark" : "light";
    const readable = (names, least) => names.map(known).find(
      (colour) => colour && contrast(colour, panel) >= least && contrast(colour, page) >= least);
    const ink = readable(["text_color"], 7);
    const put = (name, colour) => {
      if (ink && colour) root.style.setProperty(name, colour);
      else root.style.removeProperty(name);
    };
    put("--page", page);
    put("--panel", panel);
    put("--ink", ink);
    put("--muted", readable(["subtitle_text_color", "hint_color"], 5) || ink);
    put("--accent", readable(["accent_text_color", "link_color", "button_color"], 5) || ink);
  }

  try { dress(JSON.parse(kept("tgWebAppThemeParams") || "{}")); } catch { /* ours will do */ }

  function settle() {
    const web = app();
    if (!web) return;
    if (web.themeParams) dress(web.themeParams);
    web.onEvent?.("themeChanged", () => dress(web.themeParams));
    web.ready?.();
    web.expand?.();
    web.disableVerticalSwipes?.();  // or a post dragged down would close the calendar
  }

  let loading = null;
  function load() {
    // After everything of ours: where telegram.org cannot be reached, nothing waits for it.
    loading ??= new Promise((done) => {
      if (app()) { settle(); done(); return; }
      const start = () => {
        const script = document.createElement("script");
        script.src = SCRIPT;
        script.onload = () => { settle(); done(); };
        script.onerror = () => done();
        document.head.append(script);
      };
      if (document.readyState === "complete") start(); else addEventListener("load", start, { once: true });
    });
    return loading;
  }

  async function enter(initData) {
    const answer = await fetch("app/session", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ initData }),
    });
    if (answer.ok) return "";
    return (await answer.json().catch(() => ({}))).detail || "";
  }

  const buzz = (kind) => { try { app()?.HapticFeedback?.notificationOccurred(kind); } catch { /* no matter */ } };

  return { signed, person, inside, load, enter, buzz };
})();
