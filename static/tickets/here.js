// Tells that a page of the desk is open: customers are promised a person only while one is there.
(() => {
  const EVERY_MS = 25000;
  const form = document.getElementById("here");
  const numbers = crypto.getRandomValues(new Uint32Array(3));
  form.elements.page.value = [...numbers].map((number) => number.toString(36).padStart(7, "0")).join("");

  const tell = () => {
    // Told again in a moment; the page's own line says when the connection is lost.
    fetch(form.action, { method: "POST", body: new FormData(form) }).catch(() => {});
  };

  const tellTheEnd = () => {
    const last = new FormData(form);
    last.set("closed", "1");
    navigator.sendBeacon(form.action, last);
  };

  window.addEventListener("pageshow", tell);
  window.addEventListener("pagehide", tellTheEnd);
  setInterval(tell, EVERY_MS);
})();
