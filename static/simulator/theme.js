// Runs before the first paint: the theme somebody picked, kept where the admin keeps its own.
(() => {
  let picked = "auto";
  try {
    picked = JSON.parse(localStorage.getItem("_x_adminTheme") ?? '"auto"');
  } catch {
    // private mode, or a foreign value: follow the system
  }
  if (picked === "light" || picked === "dark") document.documentElement.dataset.theme = picked;
})();
