// One answer in full: label, sureness, bars, the model, the way through the mesh, and what it really was.
import { bars, percent } from "./bars.js";
import { counted, element } from "./element.js";
import { picker } from "./picker.js";

/**
 * `answer` as answers.js keeps it; `correct(label)` posts feedback and rejects with a Problem; `openCard(model)` shows the
 * card of the version that answered.
 */
export function reading(answer, { correct, openCard }) {
  const { label, probabilities, model, charge, path } = answer;
  return element(
    "div",
    { class: "reading", "data-version": model.version },
    element(
      "div",
      { class: "verdict" },
      element("p", { class: "label", "aria-label": `It reads ${label}` }, String(label)),
      element("p", { class: "sure" }, element("strong", {}, percent(probabilities[label])), " sure"),
      element(
        "button",
        { type: "button", class: "model", onclick: () => openCard(model) },
        `${model.name} ${model.version}`,
        element("code", {}, shortDigest(model.digest)),
        element("span", { class: "more" }, "Model card"),
      ),
    ),
    bars(probabilities, "How likely each digit is", label),
    element(
      "div",
      { class: "across" },
      element("p", { class: "subtle" }, "The way it went"),
      element("ol", { class: "hops" }, ...path.map((hop) => chip(hop, model))),
    ),
    element("div", { class: "across" }, picker(answer, correct)),
    element("p", { class: "across receipt" }, `Charged ${counted(charge.amount, "credit")} · ${charge.id}`),
  );
}

function chip({ service, version, replica, attempt }, model) {
  const answered = service === "inference" && version === model.version;
  return element(
    "li",
    { "data-version": answered ? version : undefined },
    element("b", {}, service),
    ` ${version} `,
    element("code", {}, replica),
    attempt > 1 && element("span", { class: "again" }, ` attempt ${attempt}`),
  );
}

/** "sha256:1a2b3c4d5e…" → "1a2b3c4d". */
function shortDigest(digest) {
  return digest.replace(/^sha256:/, "").slice(0, 8);
}
