// The card of a model's version: how often it is right and with which digits, what it learned from, where not to use it.
import { card, cardPath } from "./api.js";
import { bars, percent } from "./bars.js";
import { byId, counted, element } from "./element.js";
import { explained, show } from "./messages.js";

const MOST_MIXED = 3;

/** Wires the dialog; gives what opens it for the model of an answer: { name, version, digest }. */
export function wireModelCard() {
  const [dialog, title, body] = ["model-card", "model-card-title", "model-card-body"].map(byId);
  let wanted = null;

  async function fill(model) {
    wanted = model;
    body.replaceChildren(element("p", { class: "note" }, "The card is on its way…"));
    try {
      const told = await card(model);
      if (wanted === model) body.replaceChildren(...facts(told, model));
    } catch (problem) {
      if (wanted !== model) return;
      const box = element("div", { class: "message", role: "status" });
      body.replaceChildren(box);
      show(box, missing(problem), { requestId: problem.requestId, actions: { again: () => fill(model) } });
    }
  }

  // What opened it may be gone by then: the legend is made anew with each answer.
  dialog.addEventListener("close", () => {
    if (document.activeElement === document.body) byId("read").focus();
  });

  return (model) => {
    dialog.dataset.version = model.version;
    title.textContent = `${model.name} ${model.version}: model card`;
    dialog.showModal();
    return fill(model);
  };
}

function missing(problem) {
  if (problem.status === 404) {
    return { tone: "warn", title: "There is no card.", text: "The version that gave this answer is not served any more." };
  }
  return { tone: "error", title: "The card did not come.", text: explained(problem).title, action: "again" };
}

function facts(told, model) {
  const { summary, metrics, notes, data, limits, recipe, digest } = told;
  const recalls = Object.values(metrics.by_class).map(({ recall }) => recall);
  const mixed = mostMixed(metrics.confusion, Object.keys(metrics.by_class));
  return [
    element("p", { class: "summary" }, summary),
    digest !== model.digest && element("p", { class: "message warn" }, "Its files are others now than when it gave this answer."),
    element(
      "p",
      { class: "accuracy" },
      element("strong", {}, percent(metrics.accuracy)),
      ` of ${counted(data.held_out_rows, "digit")} that it had never seen are read right`,
    ),
    ...Object.entries(notes).map(([name, share]) =>
      element("p", { class: "noted" }, `${name.replaceAll("_", " ")}: ${percent(share)}`),
    ),
    element("h3", {}, "How often each digit is read right"),
    bars(recalls, "How often each digit is read right"),
    mixed.length > 0 && element("p", { class: "note" }, `Most often mixed up: ${mixed.join(", ")}.`),
    element("h3", {}, "Limits"),
    element("ul", { class: "limits" }, ...limits.map((limit) => element("li", {}, limit))),
    element("h3", {}, "Data"),
    element("p", {}, `${data.source}: ${data.rows} rows learned from, ${data.held_out_rows} held out.`),
    element("p", { class: "receipt" }, `recipe ${recipe.name}, seed ${recipe.seed} · data sha256:${data.sha256} · model ${digest}`),
    element("p", {}, element("a", { href: cardPath(model), target: "_blank", rel: "noopener" }, "The whole card")),
  ].filter(Boolean);
}

/** The most frequent errors, as "6 as 1 (27 of 54)"; `confusion[is][said]` counts. */
function mostMixed(confusion, labels) {
  const errors = confusion.flatMap((row, is) => {
    const rows = row.reduce((sum, count) => sum + count, 0);
    return row.map((count, said) => ({ is, said, count: is === said ? 0 : count, rows }));
  });
  return errors
    .filter(({ count }) => count > 0)
    .sort((a, b) => b.count - a.count)
    .slice(0, MOST_MIXED)
    .map(({ is, said, count, rows }) => `${labels[is]} as ${labels[said]} (${count} of ${rows})`);
}
