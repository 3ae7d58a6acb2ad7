// The wire: rows as they happen, their bodies when opened.
import { get } from "./api.js";
import { element, EndKeeper, icon } from "./dom.js";
import { clock, duration, exactMoment, kind, mode, outcome, reason, remaining, size, word } from "./words.js";
import { prettyJson, prettyXml } from "./pretty.js";

const LOOKS = {
  pending: ["", "hourglass_top"],
  replied: ["good", "check"],
  success: ["good", "check"],
  ok: ["good", "check"],
  timed_out: ["warns", "timer_off"],
  lost: ["warns", "warning"],
  not_reached: ["bad", "cloud_off"],
  refused: ["bad", "block"],
  unreadable: ["bad", "error"],
  error: ["bad", "error"],
};
const SKELETON_AFTER = 300;
const find = (id) => document.getElementById(id);

export class Wire {
  constructor() {
    this.exchanges = new Map();
    this.rows = new Map();
    this.filter = "";
    this.follower = null;
    this.keeper = new EndKeeper(find("wire-scroll"), find("wire-to-end"));
    document.querySelectorAll("#wire-filter input").forEach((input) => {
      input.addEventListener("change", () => this.show(input.value));
    });
    setInterval(() => this.drawWindows(), 1000);
  }

  showExchanges(exchanges) {
    this.exchanges = new Map();
    this.rows = new Map();
    find("exchanges").replaceChildren();
    exchanges.forEach((exchange) => this.put(exchange));
    this.drawState();
    this.keeper.toEnd();
  }

  addExchange(exchange) {
    const known = this.exchanges.get(exchange.id);
    // An answered row never waits again, whatever order the news come in.
    if (known && (known.outcome !== "pending" || exchange.outcome === "pending")) return;
    this.put(exchange);
    this.drawState();
    if (!known) this.keeper.grown();
  }

  put(exchange) {
    this.exchanges.set(exchange.id, exchange);
    const row = this.rows.get(exchange.id) ?? this.newRow(exchange);
    row.querySelector("button").replaceChildren(...columns(exchange));
    row.hidden = Boolean(this.filter) && exchange.kind !== this.filter;
    if (row.classList.contains("open")) this.read(exchange.id);
  }

  newRow(exchange) {
    const open = () => this.toggle(exchange.id);
    const button = element("button", { type: "button", class: "row", "aria-expanded": "false", onclick: open });
    const row = element("li", { class: `exchange ${exchange.kind}` }, button);
    this.rows.set(exchange.id, row);
    const later = [...this.rows.keys()].filter((id) => id > exchange.id).sort((one, other) => one - other)[0];
    find("exchanges").insertBefore(row, later === undefined ? null : this.rows.get(later));
    return row;
  }

  show(filter) {
    this.filter = filter;
    for (const [id, row] of this.rows) row.hidden = Boolean(filter) && this.exchanges.get(id).kind !== filter;
    this.drawState();
    this.keeper.toEnd();
  }

  toggle(id) {
    const row = this.rows.get(id);
    const isOpen = row.classList.toggle("open");
    row.querySelector("button").setAttribute("aria-expanded", String(isOpen));
    row.querySelector(".detail")?.remove();
    if (isOpen) this.read(id);
  }

  async read(id) {
    const row = this.rows.get(id);
    const detail = row.querySelector(".detail") ?? row.appendChild(element("div", { class: "detail" }));
    const skeleton = setTimeout(() => {
      if (!detail.hasChildNodes()) detail.append(element("div", { class: "skeleton" }));
    }, SKELETON_AFTER);
    try {
      detail.replaceChildren(...bodies(await get(`exchanges/${id}/`)));
    } catch {
      const again = element("button", { type: "button", class: "button", onclick: () => this.read(id) }, word("again"));
      detail.replaceChildren(element("div", { class: "detail-error" }, word("loading_failed"), again));
    } finally {
      clearTimeout(skeleton);
    }
    this.bringIntoSight(row);
  }

  // All of an opened row if it fits, else its beginning.
  bringIntoSight(row) {
    const scroller = find("wire-scroll");
    const top = row.offsetTop - scroller.offsetTop;
    const bottom = top + row.offsetHeight;
    if (bottom > scroller.scrollTop + scroller.clientHeight) {
      scroller.scrollTop = Math.min(top, bottom - scroller.clientHeight);
    }
  }

  showWindows(follower) {
    this.follower = follower;
    this.drawWindows();
  }

  drawWindows() {
    const windows = this.follower?.windows ?? [];
    const now = Date.now();
    const shown = windows.filter((window) => window.kind === "message" || (window.until ?? 0) > now);
    const items = shown.map((window) => {
      const isOpen = (window.until ?? 0) > now;
      const words = isOpen ? word("window_left", window.left, remaining(window.until - now)) : word("window_closed");
      return element(
        "div",
        { class: isOpen ? "open" : "" },
        element("dt", {}, word(`window_${window.kind}`)),
        element("dd", {}, words),
      );
    });
    find("windows").replaceChildren(...items);
  }

  drawState() {
    const count = [...this.rows.values()].filter((row) => !row.hidden).length;
    find("wire-empty").hidden = count > 0;
    document.querySelector("[data-wire-count]").textContent = this.rows.size || "";
  }

  toEnd() {
    this.keeper.toEnd();
  }
}

function columns(exchange) {
  const isPush = exchange.kind === "push";
  const delivery = exchange.delivery ? `${exchange.delivery} / 3` : "";
  return [
    element("span", { class: "at", title: exactMoment(exchange.at) }, clock(exchange.at, { seconds: true })),
    element(
      "span",
      { class: "what" },
      icon(isPush ? "arrow_forward" : "arrow_back"),
      element("span", { class: "label" }, kind(exchange.label)),
      element("span", { class: "summary", title: exchange.summary }, exchange.summary),
    ),
    element(
      "span",
      { class: "small delivery", title: delivery && word("delivery", exchange.delivery) },
      delivery,
    ),
    element("span", { class: "small mode" }, mode(exchange.mode)),
    element(
      "span",
      { class: "small size number" },
      `${size(exchange.request_size)} / ${exchange.outcome === "pending" ? "…" : size(exchange.response_size)}`,
    ),
    element("span", { class: "small duration number" }, duration(exchange.duration_ms)),
    element("span", { class: "outcome" }, status(exchange)),
    element("span", { class: "icon chevron", "aria-hidden": "true" }, "expand_more"),
  ];
}

function status(exchange) {
  const [look, picture] = LOOKS[exchange.outcome] ?? ["", "info"];
  const code = exchange.errcode || (exchange.status && exchange.status !== 200 ? exchange.status : "");
  const words = [outcome(exchange.outcome), code].filter(Boolean).join(" ");
  const more = exchange.note ? [words, reason(exchange.note)].join(word("colon")) : words;
  return element("span", { class: `status ${look}`, title: more }, icon(picture), element("span", {}, words));
}

function bodies(exchange) {
  const why = exchange.note ? element("p", { class: "reason" }, reason(exchange.note)) : null;
  const request = word("request");
  const response = word("response");
  const address = block(word("query"), `${exchange.method} ${exchange.url}`, { wide: true });
  if (exchange.kind === "api") {
    const sent = exchange.request_wire ? block(`${request} · ${word("body")}`, prettyJson(exchange.request_wire)) : null;
    const got = block(`${response} · ${word("body")}`, prettyJson(exchange.response_wire), { nothing: "no_response" });
    return [element("div", { class: "bodies" }, address, sent, got)];
  }
  const nothing = exchange.status === 200 ? "empty_body" : exchange.outcome === "pending" ? "sending" : "no_response";
  return [
    ...(why ? [why] : []),
    element(
      "div",
      { class: "bodies" },
      address,
      block(`${request} · ${word("clear_xml")}`, prettyXml(exchange.request_clear)),
      block(`${request} · ${word("wire_xml")}`, exchange.request_wire),
      block(`${response} · ${word("as_received")}`, exchange.response_wire, { nothing }),
      block(`${response} · ${word("decrypted")}`, prettyXml(exchange.response_clear), { nothing }),
    ),
  ];
}

function block(title, text, { wide = false, nothing = "empty_body" } = {}) {
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    window.dispatchEvent(new CustomEvent("simulator:toast", { detail: word("copied") }));
  };
  const canCopy = text && navigator.clipboard;
  return element(
    "div",
    { class: wide ? "body-block wide" : "body-block" },
    element(
      "div",
      { class: "body-head" },
      element("span", {}, title),
      canCopy ? element("button", { type: "button", onclick: copy }, word("copy")) : null,
    ),
    element("pre", { class: text ? "" : "nothing", tabindex: "0" }, text || word(nothing)),
  );
}
