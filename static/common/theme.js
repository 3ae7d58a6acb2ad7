// The admin theme marks dark mode by a class, our tokens read an attribute: keep the two alike.
(() => {
  const root = document.documentElement;
  const follow = () => {
    root.dataset.theme = root.classList.contains("dark") ? "dark" : "light";
  };
  new MutationObserver(follow).observe(root, { attributes: true, attributeFilter: ["class"] });
  follow();
})();
