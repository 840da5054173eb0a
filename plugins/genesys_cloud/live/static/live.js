// What the server cannot do: tell a good refresh from a bad one, open Airflow's own pages from
// inside its frame, and ask Airflow, as the person who looks at this, to start a DAG.
"use strict";

(() => {
  const airflow = document.body.dataset.airflow;
  const notice = document.getElementById("notice");

  function say(place, kind, ...parts) {
    const box = document.createElement("p");
    box.className = `said ${kind}`;
    box.append(...parts);
    place.replaceChildren(box);
  }

  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.successful && event.detail.requestConfig.verb === "get") notice.replaceChildren();
  });
  for (const failure of ["htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(failure, () => {
      say(notice, "warn", "Airflow does not answer. What is shown here may be old; it is asked again.");
    });
  }

  // The frame may not navigate its parent, so the parent's own document follows the link.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-airflow-page]");
    if (!link || window.parent === window || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const outside = window.parent.document.createElement("a");
    outside.href = link.href;
    window.parent.document.body.append(outside);
    outside.click();
    outside.remove();
  });

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-close]")) document.getElementById("action").replaceChildren();
  });

  async function ask(path, options) {
    const answer = await fetch(`${airflow}/api/v2/${path}`, { credentials: "same-origin", ...options });
    const body = await answer.json().catch(() => ({}));
    if (answer.ok) return body;
    const detail = typeof body.detail === "string" ? body.detail : JSON.stringify(body.detail ?? "");
    throw new Error(`Airflow answered ${answer.status} ${detail}`.trim());
  }

  function runLink(dagId, runId) {
    const link = document.createElement("a");
    link.href = `${airflow}/dags/${encodeURIComponent(dagId)}/runs/${encodeURIComponent(runId)}`;
    link.dataset.airflowPage = "";
    link.textContent = runId;
    return link;
  }

  // Airflow itself checks the right, validates the conf and logs who started the run.
  async function start(place) {
    const wanted = JSON.parse(place.dataset.start);
    const dag = `dags/${encodeURIComponent(wanted.dag_id)}`;
    try {
      const planned = await ask(`${dag}/dagRuns/${encodeURIComponent(wanted.run_id)}`);
      const run = await ask(`${dag}/dagRuns`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({
          logical_date: null, note: wanted.note, conf: { ...planned.conf, ...wanted.changes },
        }),
      });
      const paused = (await ask(dag)).is_paused;
      const hint = paused ? ` waits: the DAG ${wanted.dag_id} is paused in Airflow.` : " has started.";
      say(place, paused ? "warn" : "good", "Run ", runLink(wanted.dag_id, run.dag_run_id), hint);
    } catch (error) {
      say(place, "bad", `No run has started: ${error.message}. ${wanted.by_hand}`);
    }
  }

  document.addEventListener("htmx:afterSwap", () => {
    for (const place of document.querySelectorAll("[data-start]:not([data-asked])")) {
      place.dataset.asked = "";
      start(place);
    }
  });
})();
