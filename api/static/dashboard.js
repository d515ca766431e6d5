// Enhancements of the plain HTML pages: charts show the numbers under the pointer, and changing a period replaces the
// page's content in place. Everything works without this file.
"use strict";

(() => {
  // -- charts ---------------------------------------------------------------------------------------------------

  const tableOf = (chart) => chart.closest(".figure").querySelector("details.data table");

  function linesOf(table, place) {
    const titles = [...table.tHead.rows[0].cells].map((cell) => cell.firstChild.textContent.trim());
    const cells = [...table.tBodies[0].rows[place].cells].map((cell) => {
      const text = cell.querySelector("[aria-hidden]") || cell;
      return text.textContent.trim();
    });
    return [cells[0], ...cells.slice(1).map((text, column) => `${titles[column + 1]}: ${text}`)];
  }

  function pointAt(chart, x) {
    const plot = chart.querySelector(".plot");
    const box = plot.getBoundingClientRect();
    const table = tableOf(chart);
    const count = table.tBodies[0].rows.length;
    const place = Math.min(count - 1, Math.max(0, Math.floor(((x - box.left) / box.width) * count)));
    const middle = box.left - chart.getBoundingClientRect().left + (box.width * (place + 0.5)) / count;
    let tip = chart.querySelector(".tip");
    let cross = chart.querySelector(".cross");
    if (!tip) {
      tip = chart.appendChild(document.createElement("div"));
      tip.className = "tip";
      cross = chart.appendChild(document.createElement("div"));
      cross.className = "cross";
    }
    tip.replaceChildren(...linesOf(table, place).map((line) => {
      const row = document.createElement("div");
      row.textContent = line;
      return row;
    }));
    cross.style.left = `${middle}px`;
    const left = middle + 12 + tip.offsetWidth > chart.clientWidth ? middle - 12 - tip.offsetWidth : middle + 12;
    tip.style.left = `${Math.max(0, left)}px`;
  }

  const unpoint = (chart) => chart.querySelectorAll(".tip, .cross").forEach((each) => each.remove());

  document.addEventListener("pointermove", (event) => {
    const chart = event.target.closest?.("[data-chart]");
    document.querySelectorAll("[data-chart]").forEach((each) => each !== chart && unpoint(each));
    if (chart) pointAt(chart, event.clientX);
  });

  // -- change of a period: only the affected figures are read again -------------------------------------------------

  let shown = location.search;

  async function read(figures, url) {
    const names = figures.map((figure) => figure.id).join(",");
    const response = await fetch(`${url.pathname}/${names}.html${url.search}`);
    if (!response.ok || response.redirected) throw new Error(`${response.status}`);
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    return figures.map((figure) => document.importNode(page.getElementById(figure.id), true));
  }

  // A choice above all figures applies to all of them.
  const ofLink = (link) => [...document.querySelectorAll(".figure")].filter((figure) =>
    !link.closest(".figure") || figure.querySelector(`a[data-swap="${link.dataset.swap}"]`));

  // Every other choice link keeps its own value and takes the page's current values for the rest.
  function follow(url) {
    document.querySelectorAll("a[data-swap]").forEach((link) => {
      const own = new URL(link.href);
      const next = new URL(url);
      next.searchParams.set(link.dataset.swap, own.searchParams.get(link.dataset.swap));
      next.hash = own.hash;
      link.href = next;
    });
    document.querySelectorAll(".until input[type=hidden]").forEach((input) => {
      if (url.searchParams.has(input.name)) input.value = url.searchParams.get(input.name);
    });
  }

  function choose(link) {
    link.closest(".choices").querySelector("[aria-current]")?.removeAttribute("aria-current");
    link.setAttribute("aria-current", "true");
  }

  async function swap(link) {
    const url = new URL(link.href);
    const figures = ofLink(link);
    const own = link.closest(".figure")?.id;
    figures.forEach((figure) => figure.setAttribute("aria-busy", "true"));
    const found = await read(figures, url);
    figures.forEach((figure, place) => {
      if (figure.querySelector("details.data[open]")) found[place].querySelector("details.data")?.setAttribute("open", "");
      figure.replaceWith(found[place]);
    });
    history.pushState({}, "", url);
    shown = location.search;
    follow(url);
    if (!own) return choose(link);
    [...document.querySelectorAll(`#${own} a[data-swap]`)].find((each) => each.textContent === link.textContent)
      ?.focus({ preventScroll: true });
  }

  document.addEventListener("click", async (event) => {
    const link = event.target.closest?.("a[data-swap]");
    if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    try {
      await swap(link);
    } catch {
      location.assign(link.href);
    }
  });

  // Entering a day selects the custom period.
  document.addEventListener("input", (event) => {
    if (event.target.closest?.(".custom")) document.querySelector(".export [value=custom]").checked = true;
  });

  // Back and forward reload the page for the address; a jump within the page (#) does not.
  addEventListener("popstate", () => { if (location.search !== shown) location.reload(); });

  // -- the first event: the page is loaded again once there is one -----------------------------------------------------

  const waiting = document.querySelector("[data-look]");
  const look = async () => {
    const response = await fetch(waiting.dataset.look).catch(() => undefined);
    if (response?.ok && await response.text()) return location.reload();
    if (!response || response.ok || response.status === 429 || response.status >= 500) setTimeout(look, 3000);
  };
  if (waiting) setTimeout(look, 3000);

  // -- live: the page's figures, whenever they change ---------------------------------------------------------------

  const pulse = document.getElementById("pulse");
  if (pulse) {
    const pause = document.getElementById("pause");
    const say = (text) => { if (pulse.textContent !== text) pulse.textContent = text; };
    let source;

    const put = (html) => {
      const live = document.getElementById("live");
      const open = [...live.querySelectorAll("details[open]")].map((each) => each.closest(".figure").id);
      const within = live.contains(document.activeElement) && document.activeElement.closest(".figure")?.id;
      live.replaceChildren(...new DOMParser().parseFromString(html, "text/html").body.childNodes);
      open.forEach((id) => live.querySelector(`#${id} details`)?.setAttribute("open", ""));
      if (within) live.querySelector(`#${within} summary`)?.focus({ preventScroll: true });
    };

    const listen = () => {
      source = new EventSource(`${location.pathname}/stream`);
      source.addEventListener("live", (event) => { put(JSON.parse(event.data)); say("Live"); });
      source.addEventListener("away", (event) => say(JSON.parse(event.data)));
      source.addEventListener("ended", () => { source.close(); say("Ended. Reload the page."); pause.hidden = true; });
      source.addEventListener("error", () => say("Not connected. Trying again …"));
      pause.textContent = "Pause";
    };

    pause.hidden = false;
    pause.addEventListener("click", () => {
      if (source.readyState === EventSource.CLOSED) return listen();
      source.close();
      say("Paused");
      pause.textContent = "Resume";
    });
    addEventListener("pagehide", () => source.close());
    listen();
  }
})();
