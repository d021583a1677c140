"use strict";
(() => {
  const tip = document.querySelector(".tip");

  /* The arrangement that fits: the one that suits the scene, unless it would be drawn too small. */
  const arrange = (svg) => {
    const room = svg.parentElement.clientWidth;
    const width = (way) => Number(svg.dataset[way].split(" ")[2]);
    const ways = svg.dataset.suited === "row" ? ["row", "column"] : ["column", "row"];
    const narrow = width("row") < width("column") ? "row" : "column";
    const way = ways.find((one) => width(one) * 0.75 <= room) ?? narrow;
    const [, , wide, high] = svg.dataset[way].split(" ");
    svg.setAttribute("viewBox", svg.dataset[way]);
    svg.setAttribute("width", wide);
    svg.setAttribute("height", high);
    svg.style.setProperty("--natural", wide);
    for (const graph of svg.querySelectorAll(".graph")) graph.setAttribute("transform", graph.dataset[way]);
    for (const link of svg.querySelectorAll(".link")) link.setAttribute("d", link.dataset[way]);
  };

  const hide = (svg) => {
    tip.textContent = "";
    svg.classList.remove("pointing");
    for (const lit of svg.querySelectorAll(".lit")) lit.classList.remove("lit");
  };

  const show = (svg, part, x, y) => {
    hide(svg);
    tip.textContent = part.dataset.told ?? part.getAttribute("aria-label");
    const name = part.dataset.node;
    if (name !== undefined) {
      for (const link of svg.querySelectorAll(".link")) {
        const ends = [link.dataset.from, link.dataset.to];
        if (!ends.includes(name)) continue;
        link.classList.add("lit");
        svg.classList.add("pointing");
        for (const end of ends) svg.querySelector(`[data-node="${end}"]`)?.classList.add("lit");
      }
    }
    const { width, height } = tip.getBoundingClientRect();
    const below = y + 18 + height <= innerHeight;
    tip.style.left = `${Math.max(8, Math.min(x + 12, innerWidth - width - 8))}px`;
    tip.style.top = `${Math.max(8, below ? y + 18 : y - height - 18)}px`;
  };

  const showFocused = (svg, node) => {
    const { left, width, bottom } = node.getBoundingClientRect();
    show(svg, node, left + width / 2, bottom - 12);
  };

  /* The node of another graph that most mass joins with this one. */
  const partner = (svg, name, side) => {
    const [from, to] = side > 0 ? ["from", "to"] : ["to", "from"];
    let best = null;
    for (const link of svg.querySelectorAll(".link")) {
      if (link.dataset[from] !== name) continue;
      if (!best || Number(link.getAttribute("stroke-width")) > Number(best.getAttribute("stroke-width"))) best = link;
    }
    return best && svg.querySelector(`[data-node="${best.dataset[to]}"]`);
  };

  const moved = (svg, node, key) => {
    const own = [...node.parentElement.querySelectorAll(".node")];
    const place = own.indexOf(node);
    const step = { ArrowRight: place + 1, ArrowLeft: place - 1, Home: 0, End: own.length - 1 }[key];
    if (step !== undefined) return own[Math.max(0, Math.min(step, own.length - 1))];
    const side = { ArrowDown: 1, ArrowUp: -1 }[key];
    return side && partner(svg, node.dataset.node, side);
  };

  for (const svg of document.querySelectorAll("svg.scene")) {
    arrange(svg);
    addEventListener("resize", () => arrange(svg));
    svg.addEventListener("pointermove", (event) => {
      const part = event.target.closest("[data-told], .node");
      if (part) show(svg, part, event.clientX, event.clientY);
      else if (!svg.contains(document.activeElement)) hide(svg);
    });
    svg.addEventListener("pointerleave", () => hide(svg));
    /* Not of the picture itself: that would make it a stop of the keyboard. */
    const around = svg.parentElement;
    around.addEventListener("focusin", (event) => {
      const node = event.target.closest(".node");
      if (node) showFocused(svg, node);
    });
    around.addEventListener("focusout", () => hide(svg));
    around.addEventListener("keydown", (event) => {
      if (event.key === "Escape") return hide(svg);
      const node = event.target.closest(".node");
      const next = node && moved(svg, node, event.key);
      if (next === undefined || node === null) return;
      event.preventDefault();
      if (!next || next === node) return;
      for (const other of next.parentElement.querySelectorAll(".node")) other.setAttribute("tabindex", "-1");
      next.setAttribute("tabindex", "0");
      next.focus();
      next.scrollIntoView({ block: "nearest", inline: "nearest" });
      showFocused(svg, next);
    });
  }
})();
