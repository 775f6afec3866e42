// "That was wrong, it is a 7": ten buttons that say what a drawing really was.
import { element } from "./element.js";
import { explained } from "./messages.js";

/** Ten digits for one answer. `correct(label)` is awaited; what it rejects with is said here. */
export function picker(answer, correct) {
  const said = element("p", { class: "said", role: "status" });
  const buttons = Array.from({ length: 10 }, (_, digit) =>
    element(
      "button",
      { type: "button", "aria-label": `It is a ${digit}`, onclick: () => choose(digit) },
      String(digit),
    ),
  );

  function show() {
    const { truth, label } = answer;
    buttons.forEach((button, digit) => {
      button.setAttribute("aria-disabled", String(truth !== null));
      button.setAttribute("aria-pressed", String(digit === truth));
    });
    if (truth === null) return;
    said.className = `said ${truth === label ? "right" : "wrong"}`;
    said.textContent =
      truth === label ? `Noted: it is a ${label}, as read.` : `Noted: that was wrong, it is a ${truth}, not a ${label}.`;
  }

  let sending = false;

  async function choose(digit) {
    if (sending || answer.truth !== null) return;
    sending = true;
    try {
      await correct(digit);
      show();
    } catch (problem) {
      const { title, text } = explained(problem);
      said.className = "said wrong";
      said.textContent = `${title} ${text}`;
    } finally {
      sending = false;
    }
  }

  show();
  return element(
    "div",
    { class: "picker", role: "group", "aria-label": "What it really is" },
    element("p", { class: "subtle" }, "Right or wrong? Say what it really is:"),
    element("div", { class: "digits" }, ...buttons),
    said,
  );
}
