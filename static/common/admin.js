// Parts of the admin theme that a keyboard could not reach, or a screen reader could not name.
(() => {
  const PRESSED = "a:not([href]), div.cursor-pointer, span.cursor-pointer";
  const isPressed = (part) => part.matches(PRESSED) && part.hasAttribute("x-on:click");
  const words = (part) => {
    const copy = part.cloneNode(true);
    copy.querySelectorAll(".material-symbols-outlined").forEach((icon) => icon.remove());
    return copy.textContent.replace(/\s+/g, " ").trim();
  };
  const name = (part, text) => {
    if (!text || part.title || part.ariaLabel || part.labels?.length || words(part)) return;
    part.setAttribute("aria-label", text);
    part.title = text;
  };

  // A field in a row is named by its column, and by what the row is about.
  const nameField = (field) => {
    const column = field.closest("[data-label]")?.dataset.label;
    const row = field.closest("tr")?.querySelector("th a");
    if (column && !field.labels?.length && !field.ariaLabel) {
      field.setAttribute("aria-label", row ? `${column} ${words(row)}` : column);
    }
  };

  // A menu behind an icon is named by what is in it.
  const nameMenu = (opener) => {
    name(opener, opener.closest("[data-model-ref]")?.dataset.modelRef);
    const links = [...(opener.parentElement?.querySelectorAll("a[href]") ?? [])].filter((link) => link !== opener);
    name(opener, links.map((link) => link.title || words(link)).filter(Boolean).join(" / "));
  };

  const mend = (root) => {
    for (const part of root.querySelectorAll(PRESSED)) {
      if (!isPressed(part)) continue;
      part.setAttribute("role", "button");
      part.tabIndex = 0;
      nameMenu(part);
    }
    root.querySelectorAll('a[href="#"]').forEach(nameMenu);
    root.querySelectorAll("td input:not([type=hidden]), td select, td textarea").forEach(nameField);
  };

  document.addEventListener("keydown", (event) => {
    if ((event.key === "Enter" || event.key === " ") && event.target.matches?.(PRESSED) && isPressed(event.target)) {
      event.preventDefault();
      event.target.click();
    }
  });
  document.addEventListener("formset:added", (event) => mend(event.target));
  document.addEventListener("DOMContentLoaded", () => {
    mend(document);
    const search = document.getElementById("searchbar-submit");
    if (search) name(search, document.getElementById("searchbar")?.placeholder);
    for (const home of document.querySelectorAll('a[href="/admin/"]')) name(home, document.title.split("|").pop().trim());
  });
})();
