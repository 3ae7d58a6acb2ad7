// The page: holds what is shown, hears the live line, sends what the person does.
import { get, post, Refused } from "./api.js";
import { Live } from "./live.js";
import { Phone } from "./phone.js";
import { TopBar } from "./topbar.js";
import { Wire } from "./wire.js";
import { useWords, word } from "./words.js";

const start = JSON.parse(document.getElementById("start").textContent);
useWords(start.texts);

const state = { account: start.state.account, followers: start.state.followers, chosen: start.state.chosen };
const phone = new Phone({ onAct: act });
const wire = new Wire();
const topbar = new TopBar({ onChoose: choose, onCreate: create, onStartOver: startOver, onSwitch: throwSwitch });
const live = new Live({ onEvent: hear, onReady: refresh, onOffline: () => phone.showOffline(live.isOffline) });

showAll(start.state);
startTabs();
if (state.chosen === null) create("");
else live.follow(state.chosen);

function showAll(shown) {
  Object.assign(state, { account: shown.account, followers: shown.followers, chosen: shown.chosen });
  showAccount(shown.account);
  phone.showFollower(chosenFollower());
  phone.showBubbles(shown.bubbles);
  wire.showExchanges(shown.exchanges);
  wire.showWindows(chosenFollower());
  rememberInAddress();
}

// A reload, and the switch of the language, come back to the same phone.
function rememberInAddress() {
  const address = state.chosen === null ? window.location.pathname : `?customer=${state.chosen}`;
  window.history.replaceState(null, "", address);
  document.querySelector("#language-form [name=next]").value = window.location.pathname + window.location.search;
}

function chosenFollower() {
  return state.followers.find((follower) => follower.id === state.chosen) ?? null;
}

function hear(event) {
  if (event.type === "bubble") phone.addBubble(event.bubble);
  if (event.type === "exchange") wire.addExchange(event.exchange);
  if (event.type === "account") showAccount(event.account);
  if (event.type === "follower") showFollower(event.follower);
}

function showAccount(account) {
  state.account = account;
  topbar.show(state);
  phone.showAccount(account);
}

function showFollower(follower) {
  const known = state.followers.findIndex((other) => other.id === follower.id);
  const changedPhone = known >= 0 && state.followers[known].openid !== follower.openid;
  if (known >= 0) state.followers[known] = follower;
  else state.followers.push(follower);
  topbar.show(state);
  if (follower.id !== state.chosen) return;
  phone.showFollower(follower);
  wire.showWindows(follower);
  if (changedPhone) refresh({ afresh: true });
}

// What happened while nobody listened is in the rows. `afresh` replaces what is shown: news that came while the rows
// were read would be lost, so they are read once more and merged.
let newestAfresh = 0;
let asked = 0;
async function refresh({ afresh = false } = {}) {
  const mine = ++asked;
  if (afresh) newestAfresh = mine;
  const wanted = state.chosen;
  const shown = await attempt(() => get(`state/?customer=${wanted ?? ""}`));
  if (!shown || state.chosen !== wanted || mine < newestAfresh) return;
  if (!afresh) return merge(shown);
  showAll(shown);
  await refresh();
}

function merge(shown) {
  state.followers = shown.followers;
  showAccount(shown.account);
  phone.showFollower(chosenFollower());
  wire.showWindows(chosenFollower());
  shown.bubbles.forEach((bubble) => phone.addBubble(bubble));
  shown.exchanges.forEach((exchange) => wire.addExchange(exchange));
}

async function choose(id) {
  state.chosen = id;
  phone.showLoading();
  wire.showExchanges([]);
  topbar.show(state);
  await refresh({ afresh: true });
  live.follow(id);
}

async function create(name) {
  const answer = await attempt(() => post("customers/", { name }));
  if (!answer) return;
  state.followers.push(answer.follower);
  await choose(answer.follower.id);
}

async function startOver() {
  const answer = await attempt(() => post(`customers/${state.chosen}/start-over/`, {}));
  if (answer) await refresh({ afresh: true });
}

async function act(action, given) {
  if (state.chosen === null) return false;
  const answer = await attempt(() => post(`customers/${state.chosen}/${action}/`, given));
  if (answer) showFollower(answer.follower);
  if (answer && live.isOffline) refresh();
  return Boolean(answer);
}

async function throwSwitch(name, value) {
  const answer = await attempt(() => post("switch/", { name, value }));
  showAccount(answer?.account ?? state.account);
}

async function attempt(work) {
  try {
    return await work();
  } catch (error) {
    toast(error instanceof Refused ? error.message : word("not_reached"));
    return null;
  }
}

let toastTimer;
function toast(text) {
  const element = document.querySelector(".toast");
  element.textContent = text;
  element.hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => (element.hidden = true), 5000);
}

// On a narrow screen one of the two is shown.
function startTabs() {
  const tabs = [...document.querySelectorAll("[role=tab]")];
  const pick = (tab) => {
    document.querySelector(".stage").dataset.shown = tab.getAttribute("aria-controls");
    tabs.forEach((other) => {
      other.setAttribute("aria-selected", String(other === tab));
      other.tabIndex = other === tab ? 0 : -1;
    });
    if (tab.id === "tab-phone") phone.toEnd();
    else wire.toEnd();
  };
  tabs.forEach((tab, index) => {
    tab.addEventListener("click", () => pick(tab));
    tab.addEventListener("keydown", (event) => {
      if (event.key !== "ArrowRight" && event.key !== "ArrowLeft") return;
      const next = tabs[(index + 1) % tabs.length];
      next.focus();
      pick(next);
    });
  });
}

window.addEventListener("simulator:toast", (event) => toast(event.detail));
