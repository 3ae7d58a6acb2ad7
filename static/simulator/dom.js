// One way to make elements: texts are always text, never mark-up.
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

export function icon(name) {
  return element("span", { class: "icon", "aria-hidden": "true" }, name);
}

const NEAR_END = 60;

// Stays where the reader is; at the end it stays at the end. Otherwise a pill leads there.
export class EndKeeper {
  constructor(scroller, pill) {
    Object.assign(this, { scroller, pill });
    this.followsEnd = true;
    scroller.addEventListener("scroll", () => {
      this.followsEnd = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR_END;
      if (this.followsEnd) pill.hidden = true;
    });
    pill.addEventListener("click", () => this.toEnd());
    new ResizeObserver(() => this.followsEnd && this.toEnd()).observe(scroller);
  }

  grown() {
    if (this.followsEnd) this.toEnd();
    else this.pill.hidden = false;
  }

  toEnd() {
    this.scroller.scrollTop = this.scroller.scrollHeight;
    this.followsEnd = true;
    this.pill.hidden = true;
  }
}
