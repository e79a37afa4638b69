// Keeps what is live on a page up to date. Without it the page says the same, as of when it was loaded.
"use strict";

const base = document.body.dataset.base;
const PAUSE = 2000;

const moment = (at) => {
  const time = document.createElement("time");
  time.dateTime = at;
  time.textContent = at ? `${at.slice(0, 19).replace("T", " ")} UTC` : "";
  return time;
};

const cell = (name, content) => {
  const found = document.createElement(name);
  if (name === "th") found.scope = "row";
  found.append(content);
  return found;
};

const progress = (job) => {
  if (job.share === null || job.over) return "";
  const found = document.createElement("progress");
  found.max = 1;
  found.value = job.share;
  found.setAttribute("aria-label", `Progress of ${job.name}`);
  return found;
};

const live = {
  jobs(element, found) {
    const rows = found.jobs.map((job) => {
      const row = document.createElement("tr");
      row.append(cell("th", job.name), cell("td", job.state), cell("td", job.error || job.doing));
      row.append(cell("td", progress(job)), cell("td", moment(job.since)));
      return row;
    });
    element.querySelector("tbody").replaceChildren(...rows);
    element.querySelector("[data-none]").hidden = rows.length > 0;
  },
  plan(element, found) {
    task(element, found.task);
  },
  drift(element, found) {
    task(element, found.task);
  },
  journal(element, found) {
    const rows = found.calls.map((call) => {
      const path = document.createElement("code");
      path.textContent = `${call.method} ${call.path}`;
      const row = document.createElement("tr");
      const status = cell("td", call.fault ? `${call.status} (${call.fault})` : call.status);
      status.className = "n";
      row.append(cell("td", moment(call.at)), cell("td", path), status);
      row.append(cell("td", call.effect), cell("td", call.service));
      return row;
    });
    element.querySelector("tbody").replaceChildren(...rows);
  },
};

// What has begun or ended shows more than this script knows of: the page is read anew.
const task = (element, found) => {
  if (found.state !== element.dataset.state) {
    location.reload();
    return;
  }
  const said = element.querySelector("[data-said]");
  const text = found.said.join("\n");
  if (said.textContent === text) return;
  said.textContent = text;
  said.hidden = text === "";
  said.scrollTop = said.scrollHeight;
};

const look = async (element) => {
  const what = element.dataset.live;
  try {
    const answer = await fetch(`${base}/api/${what}`, { headers: { Accept: "application/json" } });
    if (answer.status === 401) {
      location.assign("/");
      return;
    }
    if (answer.ok) live[what](element, await answer.json());
  } catch {
    // The server is away; it is asked again.
  }
  setTimeout(look, PAUSE, element);
};

for (const element of document.querySelectorAll("[data-live]")) setTimeout(look, PAUSE, element);
