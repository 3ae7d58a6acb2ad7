// The ticket page, live: asks every few seconds what changed, and never moves what the agent is reading or writing.
(() => {
  const EVERY_MS = 3000;
  const SAID_MS = 5000;
  const PART_BYTES = 1750;
  const SLOW_MS = 300;
  const TRY_MS = 20000;
  const PAUSE_MS = 500;
  const LONGEST_PAUSE_MS = 10000;
  // The proxy's word that no process of ours was there to answer.
  const NOBODY_THERE = [502, 503, 504];
  const desk = document.getElementById("desk");
  const thread = document.getElementById("thread");
  const done = document.getElementById("done");
  const pill = document.getElementById("pill");
  const lost = document.getElementById("lost");
  const composer = document.getElementById("composer");
  const ask = document.getElementById("ask");
  const words = desk.dataset;
  let digest = words.digest;
  let unseen = 0;
  let isSending = false;
  let isLocked = Boolean(composer?.text.readOnly);
  const drawn = {};

  const atEnd = () => thread.scrollHeight - thread.scrollTop - thread.clientHeight < 48;

  const toEnd = () => {
    thread.scrollTop = thread.scrollHeight;
    unseen = 0;
    pill.hidden = true;
  };

  const showThread = (html) => {
    const wasAtEnd = atEnd();
    const place = thread.scrollTop;
    const before = thread.querySelectorAll(".bubble").length;
    thread.innerHTML = html;
    unseen += Math.max(0, thread.querySelectorAll(".bubble").length - before);
    if (wasAtEnd) {
      toEnd();
      return;
    }
    thread.scrollTop = place;
    pill.hidden = unseen === 0;
    pill.textContent = `${unseen} ${words.wordNew}`;
  };

  // Only what changed is drawn anew: words that are marked or a button in focus stay as they are.
  const draw = (name, html) => {
    const place = document.getElementById(name);
    if (!place || drawn[name] === html) return;
    drawn[name] = html;
    if (name === "thread") {
      showThread(html);
      return;
    }
    const chosen = place.querySelector("select")?.value;
    place.innerHTML = html;
    const options = [...place.querySelectorAll("option")];
    if (options.some((option) => option.value === chosen)) place.querySelector("select").value = chosen;
  };

  // A colleague's customer: what was typed stays, and waits until the agent took over. What is being sent
  // stays as it is, until somebody has said that it arrived.
  const showBox = () => {
    composer.classList.toggle("is-anothers", isLocked);
    composer.text.readOnly = isLocked || isSending;
    composer.text.placeholder = isLocked ? composer.text.dataset.wordTaken : composer.text.dataset.wordFree;
    document.getElementById("send").disabled = isLocked || isSending;
  };

  const show = (state) => {
    digest = state.digest;
    // A line above the box takes room from the conversation: its end stays in sight.
    const wasAtEnd = atEnd();
    for (const [name, html] of Object.entries(state.pieces)) draw(name, html);
    tick();
    if (composer) {
      composer.classList.toggle("is-closed", !state.window_is_open);
      document.getElementById("window").textContent = state.window_words;
      isLocked = state.is_anothers || !state.is_open;
      showBox();
    }
    if (wasAtEnd) toEnd();
    // Opened or closed: another page altogether. A draft is not worth losing for it.
    if (state.is_open !== (words.open === "1") && !(composer && composer.text.value.trim())) {
      window.location.reload();
    }
  };

  const look = async () => {
    const address = new URL(words.liveUrl, window.location.href);
    const newest = new URLSearchParams(window.location.search).get("newest");
    address.search = new URLSearchParams({ digest, ...(newest ? { newest } : {}) });
    const response = await fetch(address, { headers: { Accept: "application/json" } });
    if (response.status === 204) return;
    if (!response.ok || response.redirected) throw new Error(response.status);
    show(await response.json());
  };

  const keepLooking = async () => {
    try {
      if (!document.hidden) await look();
      lost.hidden = true;
    } catch {
      lost.textContent = words.wordLost;
      lost.hidden = false;
    }
    setTimeout(keepLooking, EVERY_MS);
  };

  // An answer, but not of this page: a login, an error of ours.
  class Refused extends Error {}

  const request = async (address, body) => {
    const response = await fetch(address, {
      method: "POST",
      body,
      headers: { Accept: "application/json" },
      signal: AbortSignal.timeout(TRY_MS),
    });
    if (NOBODY_THERE.includes(response.status)) throw new Error(response.status);
    const isOurs = (response.headers.get("Content-Type") || "").startsWith("application/json");
    if (!isOurs) throw new Refused(response.status);
    return response.json();
  };

  const post = async (form) => {
    const state = await request(form.action, new FormData(form));
    show(state);
    say(state.done);
    return state.problem;
  };

  let saidTimer;
  const say = (text) => {
    clearTimeout(saidTimer);
    done.textContent = text;
    done.hidden = !text;
    if (text) saidTimer = setTimeout(() => (done.hidden = true), SAID_MS);
  };

  const tell = (problem) => {
    const place = document.getElementById("problem");
    if (!place) return;
    place.textContent = problem || "";
    place.hidden = !problem;
  };

  const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

  // Until an answer came nobody knows whether a reply arrived. Its key makes it harmless to ask again.
  const askUntilAnswered = async (address, body, onLost) => {
    for (let wait = PAUSE_MS; ; wait = Math.min(2 * wait, LONGEST_PAUSE_MS)) {
      try {
        return await request(address, body);
      } catch (error) {
        if (error instanceof Refused) throw error;
        onLost();
        await pause(wait);
      }
    }
  };

  // Kept for a tab that is loaded anew meanwhile: the same words under the same key.
  const underWay = {
    name: `reply under way: ${composer?.action}`,
    keep: () => sessionStorage.setItem(underWay.name, JSON.stringify([composer.elements.key.value, composer.text.value])),
    forget: () => sessionStorage.removeItem(underWay.name),
    bringBack: () => {
      const kept = sessionStorage.getItem(underWay.name);
      if (!kept) return;
      const [key, text] = JSON.parse(kept);
      // The browser may have filled the box again by itself; other words than these are another draft.
      if (composer.text.value && composer.text.value !== text) return;
      composer.elements.key.value = key;
      composer.text.value = text;
      tell(words.wordKept);
    },
  };

  const confirmed = (button) =>
    new Promise((resolve) => {
      if (!button.dataset.ask) {
        resolve(true);
        return;
      }
      document.getElementById("ask-text").textContent = button.dataset.ask;
      document.getElementById("ask-yes").textContent = button.lastChild.textContent.trim();
      ask.returnValue = "no";
      ask.addEventListener("close", () => resolve(ask.returnValue === "yes"), { once: true });
      ask.showModal();
    });

  const act = async (event) => {
    event.preventDefault();
    const form = event.target;
    if (!(await confirmed(event.submitter))) return;
    try {
      tell(await post(form));
      if (form.id === "take") composer.text.focus();
    } catch {
      tell(words.wordLost);
    }
  };

  for (const name of ["take", "resolve", "prioritise", "transfer"]) document.getElementById(name)?.addEventListener("submit", act);

  const countParts = () => {
    const bytes = new TextEncoder().encode(composer.text.value.trim()).length;
    const parts = Math.ceil(bytes / PART_BYTES);
    document.getElementById("parts").textContent = parts > 1 ? words.wordPart.replace("%", parts) : "";
  };

  let progressTimer;
  const showProgress = (text, after = 0) => {
    clearTimeout(progressTimer);
    const place = document.getElementById("progress");
    progressTimer = setTimeout(() => (place.textContent = text), after);
  };

  const sendDraft = async () => {
    const draft = new FormData(composer);
    const state = await askUntilAnswered(composer.action, draft, () => showProgress(words.wordAgain));
    underWay.forget();
    if (state.draft_key) composer.elements.key.value = state.draft_key;
    if (!state.problem) {
      composer.text.value = "";
      countParts();
    }
    show(state);
    tell(state.problem);
    if (!state.problem) toEnd();
  };

  const send = async () => {
    if (!composer.text.value.trim() || isLocked || isSending) return;
    isSending = true;
    showBox();
    tell("");
    underWay.keep();
    showProgress(words.wordSending, SLOW_MS);
    try {
      await sendDraft();
    } catch {
      tell(words.wordFailed);
    }
    isSending = false;
    showProgress("");
    showBox();
    composer.text.focus();
  };

  const inWords = (seconds) => {
    const hours = Math.floor(seconds / 3600);
    const minute = Math.floor(seconds / 60) % 60;
    if (hours >= 72) return `${Math.floor(hours / 24)} ${words.wordDay} ${hours % 24} ${words.wordHour}`;
    if (hours) return `${hours} ${words.wordHour} ${minute} ${words.wordMin}`;
    if (minute) return `${minute} ${words.wordMin} ${seconds % 60} ${words.wordSec}`;
    return `${seconds} ${words.wordSec}`;
  };

  const tick = () => {
    for (const clock of document.querySelectorAll(".ticking")) {
      clock.textContent = inWords(Math.max(0, Math.floor(Date.now() / 1000 - clock.dataset.since)));
    }
  };

  thread.addEventListener("scroll", () => {
    if (atEnd()) toEnd();
  });
  pill.addEventListener("click", toEnd);
  if (composer) {
    composer.addEventListener("submit", (event) => {
      event.preventDefault();
      send();
    });
    composer.text.addEventListener("input", countParts);
    composer.text.addEventListener("keydown", (event) => {
      // Enter that chooses a word in an input method is not ours.
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.isComposing) {
        event.preventDefault();
        send();
      }
    });
    window.addEventListener("beforeunload", (event) => {
      if (composer.text.value.trim()) event.preventDefault();
    });
    underWay.bringBack();
    if (!composer.text.readOnly) composer.text.focus({ preventScroll: true });
  }
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) look().catch(() => {});
  });
  toEnd();
  tick();
  setInterval(tick, 1000);
  setTimeout(keepLooking, EVERY_MS);
})();
