"use strict";
(() => {
  const all = (selector) => [...document.querySelectorAll(selector)];
  const panel = document.getElementById("panel");
  const articles = all("article");
  const boxes = all("a.node");
  const rows = all("tbody tr");
  const bars = all("a.bar");
  const edges = all(".edge");
  const busy = ["s-failed", "s-ran", "s-run", "s-maybe"];
  let origin = null; // what had the focus before the panel

  document.documentElement.classList.add("js");

  // nameOf returns the name of the node that a fragment is about, "" for none.
  function nameOf(fragment) {
    let text = fragment;
    try {
      text = decodeURIComponent(fragment);
    } catch {
      // A per cent sign that somebody typed stands for itself.
    }
    return text.startsWith("#node=") ? text.slice(6) : "";
  }

  // Without ids the browser has nothing to scroll to: the panel shows them.
  for (const a of articles) {
    a.dataset.name = a.id.slice(5);
    a.removeAttribute("id");
  }
  const nameOfArticle = (article) => article.dataset.name;

  function show() {
    const name = nameOf(location.hash);
    const article = articles.find((a) => nameOfArticle(a) === name);
    const index = article ? article.dataset.node : "";
    for (const e of [...articles, ...boxes, ...rows]) e.classList.toggle("open", e.dataset.node === index);
    for (const b of bars) b.classList.toggle("open", Boolean(article) && nameOf(b.hash ?? b.getAttribute("href")) === name);
    for (const e of edges) e.classList.toggle("lit", Boolean(article) && (e.dataset.from === index || e.dataset.to === index));
    panel.classList.toggle("open", Boolean(article));
    document.body.dataset.open = article ? name : "";
    if (!article) return;
    article.prepend(close);
    // What was chosen in the table or the timeline is followed there.
    if (!origin?.closest("table, .timeline")) boxes[index].scrollIntoView({block: "nearest", inline: "nearest"});
    panel.scrollTop = 0;
    article.querySelector("h2").focus({preventScroll: true});
  }

  function leave() {
    if (!document.body.dataset.open) return;
    const back = origin ?? boxes.find((b) => b.classList.contains("open"));
    history.pushState(null, "", location.pathname + location.search);
    show();
    back.focus({preventScroll: true});
  }

  const close = document.createElement("button");
  close.id = "close";
  close.type = "button";
  close.textContent = "Close";
  close.addEventListener("click", leave);

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a");
    if (link) origin = panel.contains(link) ? null : link;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && event.target.id !== "search") leave();
  });
  addEventListener("hashchange", show);
  addEventListener("popstate", show);

  // Filters.
  const controls = document.getElementById("controls");
  const search = document.getElementById("search");
  const found = document.getElementById("found");

  function filter() {
    const text = search.value.trim().toLowerCase();
    const onlyBusy = controls.elements.show.value === "ran";
    const matches = articles.map((a) => nameOfArticle(a).toLowerCase().includes(text) && (!onlyBusy || busy.some((c) => a.classList.contains(c))));
    const names = new Set(articles.filter((a, i) => matches[i]).map(nameOfArticle));
    for (const b of boxes) b.classList.toggle("dim", !matches[b.dataset.node]);
    for (const r of rows) r.hidden = !matches[r.dataset.node];
    for (const b of bars) b.classList.toggle("dim", !names.has(nameOf(b.getAttribute("href"))));
    for (const e of edges) e.classList.toggle("dim", !matches[e.dataset.from] || !matches[e.dataset.to]);
    found.textContent = names.size === articles.length ? "" : `${names.size} of ${articles.length} nodes`;
  }
  controls.addEventListener("input", filter);
  controls.addEventListener("submit", (event) => {
    event.preventDefault();
    const first = boxes.find((b) => !b.classList.contains("dim"));
    origin = search;
    if (first) location.hash = first.getAttribute("href");
  });
  controls.hidden = false;

  // Sorting: by what a cell holds, numbers with the largest first.
  const headers = all("th");
  headers.forEach((header, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = header.textContent;
    header.replaceChildren(button);
    const number = header.classList.contains("number");
    button.addEventListener("click", () => {
      const before = header.getAttribute("aria-sort");
      const order = before ? (before === "ascending" ? "descending" : "ascending") : number ? "descending" : "ascending";
      const sign = order === "ascending" ? 1 : -1;
      const value = (row) => {
        const cell = row.cells[column];
        return number ? Number(cell.dataset.value ?? 0) : cell.textContent;
      };
      const compare = (a, b) => (number ? value(a) - value(b) : value(a).localeCompare(value(b)));
      const sorted = [...rows].sort((a, b) => sign * compare(a, b) || a.dataset.node - b.dataset.node);
      for (const h of headers) h.removeAttribute("aria-sort");
      header.setAttribute("aria-sort", order);
      document.querySelector("tbody").append(...sorted);
    });
  });

  show();
})();
