// The list of tickets, live: asks every few seconds for the page anew and draws what changed.
(() => {
  const EVERY_MS = 4000;
  const PARTS = ["#queues", "#changelist-form", "#changelist-count"];
  const lost = document.getElementById("queues-lost");
  const title = document.title;

  const part = (root, selector) => root.querySelector(selector);

  // Words, not markup: a form's token is another one each time.
  const says = (element) => element.textContent.replace(/\s+/g, " ");

  // A row that is read out, marked or about to be clicked stays under the hand.
  const isInUse = (element) => {
    const selection = window.getSelection();
    return !selection.isCollapsed && element.contains(selection.anchorNode);
  };

  const draw = (fresh, selector) => {
    const [old, renewed] = [part(document, selector), part(fresh, selector)];
    if (!old || !renewed || says(old) === says(renewed) || isInUse(old)) return;
    const focused = old.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    old.replaceWith(document.adoptNode(renewed));
    if (focused) renewed.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  };

  // Seen in the browser's tab while the agent works elsewhere.
  const count = () => {
    const open = part(document, "#queues .queues__count")?.textContent.trim();
    document.title = open && open !== "0" ? `(${open}) ${title}` : title;
  };

  const look = async () => {
    const response = await fetch(window.location.href, { headers: { Accept: "text/html" } });
    if (!response.ok || response.redirected) throw new Error(response.status);
    const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
    for (const selector of PARTS) draw(fresh, selector);
    count();
  };

  const keepLooking = async () => {
    try {
      await look();
      lost.hidden = true;
    } catch {
      lost.hidden = false;
    }
    setTimeout(keepLooking, document.hidden ? 5 * EVERY_MS : EVERY_MS);
  };

  count();
  setTimeout(keepLooking, EVERY_MS);
})();
