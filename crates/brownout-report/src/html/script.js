// Tells the row of the table that lies where one points. All of it is in the tables without this.
for (const figure of document.querySelectorAll(".figure")) {
  const table = figure.querySelector("table");
  if (!table) continue;
  const head = [...table.tHead.rows[0].cells].map((cell) => cell.textContent);
  const rows = [...table.tBodies[0].rows].filter((row) => row.dataset.x !== undefined);
  const places = rows.map((row) => Number(row.dataset.x));
  for (const svg of figure.querySelectorAll("svg[data-area]")) {
    const [left, right, top, bottom] = svg.dataset.area.split(" ").map(Number);
    const columns = svg.dataset.columns.split(" ").map(Number);
    const told = document.createElement("div");
    told.className = "told";
    told.setAttribute("role", "status");
    told.hidden = true;
    svg.after(told);
    const pointer = document.createElementNS("http://www.w3.org/2000/svg", "line");
    pointer.setAttribute("class", "pointer");
    pointer.setAttribute("y1", top);
    pointer.setAttribute("y2", bottom);
    // What browsers show of a title after a while would lie on it.
    const [title, desc] = [svg.querySelector("title"), svg.querySelector("desc")];
    svg.setAttribute("aria-label", title.textContent + ". " + desc.textContent);
    svg.removeAttribute("aria-labelledby");
    title.remove();
    svg.tabIndex = 0;
    let at = 0;
    const tell = (row) => {
      at = Math.max(0, Math.min(rows.length - 1, row));
      const cells = rows[at].cells;
      const lines = columns.map((column) => head[column] + ": " + cells[column].textContent);
      told.replaceChildren(...[head[0] + ": " + cells[0].textContent, ...lines].flatMap((line) => [line, document.createElement("br")]));
      const x = left + places[at] * (right - left);
      pointer.setAttribute("x1", x);
      pointer.setAttribute("x2", x);
      svg.append(pointer);
      told.hidden = false;
      const box = svg.getBoundingClientRect();
      const px = (x / svg.viewBox.baseVal.width) * box.width;
      const room = box.width - told.offsetWidth;
      told.style.left = Math.max(0, Math.min(room, px < box.width / 2 ? px + 10 : px - 10 - told.offsetWidth)) + "px";
      told.style.top = svg.offsetTop + (top / svg.viewBox.baseVal.height) * box.height + "px";
    };
    const leave = () => { told.hidden = true; pointer.remove(); };
    const nearest = (share) => {
      let low = 0, high = places.length - 1;
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        if (places[middle] <= share) low = middle; else high = middle - 1;
      }
      return low + 1 < places.length && places[low + 1] - share < share - places[low] ? low + 1 : low;
    };
    svg.addEventListener("pointermove", (event) => {
      const box = svg.getBoundingClientRect();
      const x = ((event.clientX - box.left) / box.width) * svg.viewBox.baseVal.width;
      tell(nearest((x - left) / (right - left)));
    });
    svg.addEventListener("pointerleave", leave);
    svg.addEventListener("focus", () => { if (svg.matches(":focus-visible")) tell(at); });
    svg.addEventListener("blur", leave);
    svg.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -Infinity, End: Infinity }[event.key];
      if (step === undefined) return;
      event.preventDefault();
      tell(at + step);
    });
  }
}
