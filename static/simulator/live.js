// The live line: connects again by itself; while it is away the page looks at the rows every few seconds.
const SHORTEST_PAUSE = 500;
const LONGEST_PAUSE = 8000;
const LOOK_EVERY = 4000;
// As in consumers.py.
const NOT_ALLOWED = 4403;

export class Live {
  constructor({ onEvent, onReady, onOffline }) {
    Object.assign(this, { onEvent, onReady, onOffline });
    this.customer = null;
    this.pause = SHORTEST_PAUSE;
    this.isOffline = false;
    setInterval(() => this.isOffline && this.customer !== null && !document.hidden && this.onReady(), LOOK_EVERY);
    window.addEventListener("online", () => this.isOffline && this.connect());
  }

  follow(customer) {
    this.customer = customer;
    this.connect();
  }

  connect() {
    clearTimeout(this.timer);
    const before = this.socket;
    const scheme = window.location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${window.location.host}/ws/simulator/?customer=${this.customer}`);
    this.socket = socket;
    before?.close();
    socket.addEventListener("message", (message) => socket === this.socket && this.hear(JSON.parse(message.data)));
    socket.addEventListener("close", (event) => {
      if (socket !== this.socket) return;
      // The login has ended: the page itself leads to a new one.
      if (event.code === NOT_ALLOWED) window.location.reload();
      else this.connectLater();
    });
  }

  hear(event) {
    if (event.type !== "ready") return this.onEvent(event);
    this.pause = SHORTEST_PAUSE;
    this.setOffline(false);
    this.onReady();
  }

  connectLater() {
    this.setOffline(true);
    this.timer = setTimeout(() => this.connect(), this.pause);
    this.pause = Math.min(this.pause * 2, LONGEST_PAUSE);
  }

  setOffline(isOffline) {
    if (this.isOffline === isOffline) return;
    this.isOffline = isOffline;
    this.onOffline();
  }
}
