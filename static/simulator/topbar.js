// The top bar: whose phone, what WeChat thinks of the account, and what goes wrong on the way.
import { element } from "./dom.js";
import { word } from "./words.js";

const find = (id) => document.getElementById(id);

export class TopBar {
  constructor({ onChoose, onCreate, onStartOver, onSwitch }) {
    find("customer").addEventListener("change", (event) => onChoose(Number(event.target.value)));
    document.querySelectorAll("[name=verified]").forEach((input) => {
      input.addEventListener("change", () => onSwitch("verified", input.value === "1"));
    });
    document.querySelectorAll("[data-fault]").forEach((input) => {
      input.addEventListener("change", () => onSwitch(input.dataset.fault, input.checked));
    });
    find("mode").addEventListener("change", (event) => onSwitch("mode", event.target.value));
    this.startPopover();
    startDialog("new-customer", "new-customer-dialog", () => {
      onCreate(find("customer-name").value);
      find("customer-name").value = "";
    });
    startDialog("start-over", "start-over-dialog", onStartOver);
    find("theme").addEventListener("click", switchTheme);
  }

  show({ account, followers, chosen }) {
    const options = followers.map((follower) =>
      element("option", { value: follower.id, selected: follower.id === chosen }, follower.name),
    );
    find("customer").replaceChildren(...options);
    document.querySelectorAll("[name=verified]").forEach((input) => {
      input.checked = (input.value === "1") === account.verified;
    });
    document.querySelectorAll("[data-fault]").forEach((input) => {
      input.checked = account.faults[input.dataset.fault];
    });
    find("mode").value = account.mode;
    const count = Object.values(account.faults).filter(Boolean).length;
    find("faults-button").classList.toggle("warns", count > 0);
    document.querySelector("[data-faults-label]").textContent = count ? word("faults_on", count) : word("faults");
  }

  startPopover() {
    const button = find("faults-button");
    const popover = find("faults");
    const set = (isOpen) => {
      popover.hidden = !isOpen;
      button.setAttribute("aria-expanded", String(isOpen));
    };
    button.addEventListener("click", () => set(popover.hidden));
    document.addEventListener("click", (event) => {
      if (!event.target.closest(".popover-anchor")) set(false);
    });
    document.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || popover.hidden) return;
      set(false);
      button.focus();
    });
  }
}

function startDialog(buttonId, dialogId, onYes) {
  const dialog = find(dialogId);
  find(buttonId).addEventListener("click", () => {
    dialog.returnValue = "";
    dialog.showModal();
  });
  dialog.querySelector("[data-close]").addEventListener("click", () => dialog.close(""));
  dialog.addEventListener("close", () => dialog.returnValue === "yes" && onYes());
}

function switchTheme() {
  const root = document.documentElement;
  const isDark = root.dataset.theme
    ? root.dataset.theme === "dark"
    : window.matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = isDark ? "light" : "dark";
  try {
    localStorage.setItem("_x_adminTheme", JSON.stringify(root.dataset.theme));
  } catch {
    // private mode: the choice lasts as long as the page
  }
}
