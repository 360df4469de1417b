"use strict";
// Charts are drawn again by Vega, so that they answer the pointer; until then, and without scripts, the drawing of the file stands.
const drawn = [...document.querySelectorAll("figure.chart")].map(async (figure) => {
  const plot = figure.querySelector(".plot");
  const spec = JSON.parse(figure.querySelector(".spec").textContent);
  const still = plot.innerHTML;
  plot.textContent = "";
  try {
    const { view } = await vegaEmbed(plot, spec, { mode: "vega-lite", renderer: "svg", actions: false });
    plot.querySelector("svg").setAttribute("aria-hidden", "true"); // its words are the label of what it stands in
    const picked = new Set();
    for (const button of figure.querySelectorAll(".legend button")) {
      button.addEventListener("click", () => {
        const name = button.dataset.name;
        if (!picked.delete(name)) picked.add(name);
        button.setAttribute("aria-pressed", String(picked.has(name)));
        view.signal("picked", [...picked]).runAsync();
      });
    }
    figure.dataset.drawn = "yes";
  } catch (error) {
    console.error(error);
    plot.innerHTML = still;
  }
});
Promise.all(drawn).then(() => { document.documentElement.dataset.ready = "yes"; });

// On paper nobody can open what is closed.
let opened = [];
addEventListener("beforeprint", () => {
  opened = [...document.querySelectorAll("details.printed:not([open])")];
  for (const one of opened) one.open = true;
});
addEventListener("afterprint", () => { for (const one of opened) one.open = false; });
