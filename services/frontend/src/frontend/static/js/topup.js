// The top-up dialog: an amount, a test card, and how it was decided.
import { topUp } from "./api.js";
import { Attempt } from "./attempt.js";
import { byId, counted, element } from "./element.js";
import { explained, hide, show } from "./messages.js";

const CARDS = [
  ["4242424242424242", "An ordinary card", "Approved, unless you ask for much, often."],
  ["4000000000009235", "A card with raised risk", "Held for review: no credits until someone has looked."],
  ["4000000000000002", "A card known for fraud", "Declined."],
];

const BY = {
  model: "Decided by the fraud model.",
  rules: "Decided by plain rules: the fraud model could not be asked.",
};

const OUTCOMES = {
  approved: (credits) => ({ tone: "good", title: `Approved: ${counted(credits, "credit")} added.` }),
  review: () => ({ tone: "warn", title: "Held for review: no credits yet." }),
  declined: () => ({ tone: "error", title: "Declined: no credits were added." }),
};

/** Wires the dialog. `session` makes the call; `onBalance(balance)` hears of the credits left. */
export function wireTopUp(session, onBalance) {
  const [dialog, form, number, pay, result] = ["topup", "topup-form", "card-number", "pay", "topup-result"].map(byId);
  const attempt = new Attempt();
  let paying = false;

  const radios = CARDS.map(([card, name, what], index) => {
    const radio = element("input", { type: "radio", name: "which", value: card, checked: index === 0 });
    byId("cards").append(element("label", {}, radio, element("b", {}, name), element("span", {}, what)));
    return radio;
  });
  const matchNumber = () => radios.forEach((radio) => (radio.checked = radio.value === digits()));
  const digits = () => number.value.replace(/\D/g, "");
  const credits = () => Number(form.elements.credits.value);
  const choose = () => {
    const chosen = radios.find((radio) => radio.checked);
    if (chosen) number.value = chosen.value.replace(/(.{4})(?=.)/g, "$1 ");
  };

  form.addEventListener("change", ({ target }) => {
    if (target.name === "which") choose();
    pay.textContent = `Top up ${counted(credits(), "credit")}`;
  });
  number.addEventListener("input", matchNumber);
  choose();

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (paying) return;
    const order = { credits: credits(), card: digits() };
    paying = true;
    hide(result);
    try {
      const { status, balance, decided_by: decider } = await attempt.run(order, (key) =>
        session.run((token) => topUp(token, order, { key })),
      );
      onBalance(balance);
      const outcome = OUTCOMES[status](order.credits);
      show(result, { ...outcome, text: `${BY[decider] ?? ""} You have ${counted(balance, "credit")}.` });
    } catch (problem) {
      const said = explained(problem);
      show(result, { ...said, text: said.text.replace(" Your drawing is kept.", "") }, { requestId: problem.requestId });
    } finally {
      paying = false;
    }
  });

  // What opened it may be gone by then: the message that offered it.
  dialog.addEventListener("close", () => {
    if (document.activeElement === document.body) byId("read").focus();
  });

  return () => {
    hide(result);
    dialog.showModal();
  };
}
