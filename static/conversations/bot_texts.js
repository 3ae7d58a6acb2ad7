// A text box that nobody has touched holds the default words of the chosen moment.
(() => {
  const moment = document.querySelector("select[name=moment]");
  const text = document.querySelector("textarea[name=text]");
  if (!moment || !text) return;
  const defaults = JSON.parse(moment.dataset.defaults);
  const isUntouched = () => text.value.trim() === "" || Object.values(defaults).includes(text.value.trim());
  const fill = () => {
    if (isUntouched()) text.value = defaults[moment.value] ?? "";
  };
  moment.addEventListener("change", fill);
  fill();
})();
