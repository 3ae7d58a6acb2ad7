// The phone: bubbles, the composer, and what else a thumb can do.
import { element, EndKeeper, icon } from "./dom.js";
import { clock, exactMoment, moment, word } from "./words.js";

const GAP_THAT_SHOWS_THE_TIME = 5 * 60_000;
const find = (id) => document.getElementById(id);

export class Phone {
  constructor({ onAct }) {
    this.onAct = onAct;
    this.bubbles = new Map();
    this.follower = null;
    this.offline = false;
    this.verified = true;
    this.keeper = new EndKeeper(find("chat"), find("to-end"));
    this.startComposer();
    this.startButtons();
    this.tick();
    setInterval(() => this.tick(), 1000);
  }

  showFollower(follower) {
    this.follower = follower;
    const following = Boolean(follower?.following);
    find("composer").hidden = !following;
    find("not-following").hidden = following || !follower;
    if (!following) this.closeMore();
    this.showChips();
    this.tick();
  }

  showAccount(account) {
    this.verified = account.verified;
    this.tick();
  }

  showLoading() {
    this.follower = null;
    this.showBubbles([]);
    find("chat-empty").hidden = true;
  }

  showBubbles(bubbles) {
    this.bubbles = new Map(bubbles.map((bubble) => [bubble.id, bubble]));
    this.draw();
    this.keeper.toEnd();
  }

  addBubble(bubble) {
    if (this.bubbles.has(bubble.id)) return;
    this.bubbles.set(bubble.id, bubble);
    this.draw();
    if (bubble.side === "customer") this.keeper.toEnd();
    else this.keeper.grown();
  }

  showOffline(offline) {
    this.offline = offline;
    this.tick();
  }

  toEnd() {
    this.keeper.toEnd();
  }

  draw() {
    const rows = [];
    let before = 0;
    for (const bubble of [...this.bubbles.values()].sort((one, other) => one.id - other.id)) {
      if (bubble.at - before > GAP_THAT_SHOWS_THE_TIME) {
        rows.push(element("li", { class: "chat-time", title: exactMoment(bubble.at) }, moment(bubble.at)));
      }
      before = bubble.at;
      rows.push(this.row(bubble));
    }
    find("bubbles").replaceChildren(...rows);
    find("chat-empty").hidden = rows.length > 0;
    this.showChips();
  }

  row(bubble) {
    if (bubble.side === "notice") {
      const words = bubble.kind === "failure" ? bubble.pieces[0].text : word(bubble.kind);
      return element("li", { class: `bubble-row notice-line ${bubble.kind}` }, element("span", {}, words));
    }
    const isOwn = bubble.side === "customer";
    const avatar = isOwn ? (this.follower?.name ?? "").slice(0, 1) : icon("storefront");
    const under = bubble.ai_generated ? element("p", { class: "under-bubble" }, word("ai_generated")) : null;
    return element(
      "li",
      { class: `bubble-row ${bubble.side}` },
      element("span", { class: "avatar", "aria-hidden": "true" }, avatar),
      element("div", { class: "bubble-body", title: exactMoment(bubble.at) }, this.bubble(bubble), under),
    );
  }

  bubble(bubble) {
    if (bubble.kind === "image") {
      const picture = element("img", { src: find("phone").dataset.photo, alt: word("image"), width: 140, height: 105 });
      return element("div", { class: "bubble picture" }, picture);
    }
    const pieces = bubble.pieces.map((piece) => this.piece(piece));
    if (bubble.kind === "location") return element("div", { class: "bubble place" }, icon("location_on"), ...pieces);
    return element("div", { class: "bubble" }, ...pieces);
  }

  piece(piece) {
    if (piece.href) {
      return element("a", { href: piece.href, target: "_blank", rel: "noopener noreferrer" }, piece.text);
    }
    if (!piece.tap) return piece.text;
    return element("button", { type: "button", class: "tap", onclick: () => this.onAct("tap", piece.tap) }, piece.text);
  }

  showChips() {
    const hasSpoken = [...this.bubbles.values()].some((bubble) => bubble.side === "customer");
    find("chips").hidden = hasSpoken || !this.follower?.following;
  }

  startComposer() {
    const message = find("message");
    const grow = () => {
      message.style.height = "auto";
      message.style.height = `${message.scrollHeight + 2}px`;
      find("send").disabled = !message.value.trim();
    };
    message.addEventListener("input", grow);
    message.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      find("composer").requestSubmit();
    });
    find("composer").addEventListener("submit", async (event) => {
      event.preventDefault();
      const text = message.value;
      if (!text.trim()) return;
      message.value = "";
      grow();
      // Nothing typed is lost: what could not be sent stands in the box again.
      if (!(await this.onAct("say", { text })) && !message.value) message.value = text;
      grow();
      message.focus();
    });
    grow();
  }

  startButtons() {
    document.querySelectorAll("[data-say]").forEach((chip) => {
      chip.addEventListener("click", () => this.onAct("say", { text: chip.dataset.say }));
    });
    document.querySelectorAll("[data-act]").forEach((button) => {
      button.addEventListener("click", () => {
        this.closeMore();
        this.onAct(button.dataset.act, button.dataset.act === "click" ? { key: "怎么退货" } : {});
      });
    });
    find("more").addEventListener("click", () => {
      const panel = find("more-panel");
      panel.hidden = !panel.hidden;
      find("more").setAttribute("aria-expanded", String(!panel.hidden));
    });
  }

  closeMore() {
    find("more-panel").hidden = true;
    find("more").setAttribute("aria-expanded", "false");
  }

  tick() {
    document.querySelector("[data-clock]").textContent = clock(Date.now());
    const isTyping = (this.follower?.typing_until ?? 0) > Date.now();
    document.querySelector("[data-chat-state]").textContent = this.offline
      ? word("offline")
      : isTyping
        ? word("typing")
        : word(this.verified ? "verified_account" : "unverified_account");
  }
}
