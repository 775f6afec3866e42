// The growing grid of answers, coloured by the version that gave them, and its legend.
import { byId, element } from "./element.js";
import { centred, drawStrokes } from "./ink.js";

/** Shows `answers` anew; `open(answer, number)` is what a tile does, `openCard(model)` what a version's name does. */
export function showTiles(answers, { open, openCard }) {
  const { list } = answers;
  byId("tiles-empty").hidden = list.length > 0;
  const tiles = list.map((answer, index) => tile(answer, list.length - index, open));
  byId("tiles").replaceChildren(...tiles.map(({ item }) => item));
  for (const { paint } of tiles) paint();
  byId("legend").replaceChildren(
    ...answers.byVersion().map(([version, count, wrong]) =>
      element(
        "li",
        { "data-version": version },
        element(
          "button",
          { type: "button", title: "Model card", onclick: () => openCard(list.find(({ model }) => model.version === version).model) },
          element("b", {}, version),
          ` ${count}`,
          element("span", {}, ` · ${Math.round((100 * count) / list.length)} %${wrong ? ` · ${wrong} wrong` : ""}`),
        ),
      ),
    ),
  );
}

function tile(answer, number, open) {
  const { label, truth, model, strokes } = answer;
  const canvas = element("canvas", { "aria-hidden": "true" });
  const verdict = truth === null ? "" : truth === label ? "right" : "wrong";
  const said = { "": "", right: ", right", wrong: `, wrong: it is a ${truth}` }[verdict];
  const button = element(
    "button",
    {
      type: "button",
      class: `tile ${verdict}`,
      "data-version": model.version,
      "aria-label": `Answer ${number}: read ${label} by ${model.name} ${model.version}${said}. Show, or correct it`,
      onclick: () => open(answer, number),
    },
    canvas,
    element("span", { class: "mark", "aria-hidden": "true" }, { "": "", right: "✓", wrong: "✗" }[verdict]),
    element(
      "span",
      { class: "foot" },
      element("span", { class: "read" }, String(label)),
      verdict === "wrong" && element("span", { class: "truth" }, String(truth)),
      element("span", { class: "by" }, model.version),
    ),
  );
  return {
    item: element("li", { value: number }, button),
    paint: () => drawStrokes(canvas, centred(strokes), getComputedStyle(button).color),
  };
}
