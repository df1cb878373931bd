// Filters the entries by words. Without it the page shows all of them.
(() => {
  "use strict";
  const box = document.getElementById("find");
  if (!box) return;
  const found = document.getElementById("found");
  const titled = (element) => {
    const titles = [];
    for (let at = element.closest("[data-group]"); at; at = at.parentElement.closest("[data-group]")) {
      titles.push(at.querySelector("h2, h3, h4, summary")?.textContent ?? "");
    }
    return titles.join(" ");
  };
  const steps = [...document.querySelectorAll("[data-step]")].map((element) => ({ element, text: null }));
  const groups = [...document.querySelectorAll("[data-group]")];
  const filter = () => {
    const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const step of steps) {
      step.text ??= (step.element.textContent + " " + titled(step.element)).toLowerCase();
      const fits = words.every((word) => step.text.includes(word));
      if (step.element.hidden === fits) step.element.hidden = !fits;
      if (fits) shown += 1;
    }
    for (const group of groups) {
      const isEmpty = words.length > 0 && !group.querySelector("[data-step]:not([hidden])");
      if (group.hidden !== isEmpty) group.hidden = isEmpty;
      if (group.tagName === "DETAILS" && words.length > 0 && !isEmpty) group.open = true;
    }
    found.textContent = words.length > 0 ? `${shown} of ${steps.length} entries` : "";
  };
  let due = 0;
  const soon = () => {
    clearTimeout(due);
    due = setTimeout(filter, steps.length > 500 ? 150 : 0);
  };
  box.addEventListener("input", soon);
  box.form.addEventListener("submit", (event) => event.preventDefault());
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !event.ctrlKey && !event.metaKey && event.target !== box) {
      event.preventDefault();
      box.focus();
    }
  });
  box.form.hidden = false;
  // what the browser kept from before a reload
  if (box.value) filter();
})();
