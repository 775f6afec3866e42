// Wires the page: the surface, the calls, and what is shown of them.
import { account, feedback, predict } from "./api.js";
import { Answers } from "./answers.js";
import { Attempt } from "./attempt.js";
import { byId, counted, element } from "./element.js";
import { centred, drawPixels, drawStrokes } from "./ink.js";
import { listen, penOn } from "./keyboard.js";
import { explained, hide, show } from "./messages.js";
import { wireModelCard } from "./model-card.js";
import { Pad } from "./pad.js";
import { reading } from "./reading.js";
import { sampleOf } from "./samples.js";
import { pixelsOf } from "./scale.js";
import { Session } from "./session.js";
import { showTiles } from "./tiles.js";
import { wireTopUp } from "./topup.js";

const message = byId("message");
const read = byId("read");
const answers = new Answers();
const attempt = new Attempt();
const session = new Session(() => show(message, explained({ slug: "session-renewed" })));
const pad = new Pad(byId("pad"), inkChanged);
const openTopUp = wireTopUp(session, (balance) => {
  showBalance(balance);
  if (balance > 0) hide(message);
});
const openCard = wireModelCard();
let pixels = pixelsOf([]);
let busy = false;
let turn = 0;

function inkChanged() {
  pixels = pixelsOf(pad.strokes);
  drawPixels(byId("seen"), pixels);
  byId("seen").setAttribute("aria-label", pad.empty ? "What the model sees: nothing yet" : "What the model sees: your digit");
  byId("pad-hint").hidden = !pad.empty;
  showControls();
}

function showControls() {
  read.disabled = pad.empty;
  read.setAttribute("aria-busy", String(busy));
  read.textContent = busy ? "Reading…" : "Read";
  byId("clear").disabled = pad.empty;
  byId("undo").disabled = !pad.canUndo;
  byId("read-ten").setAttribute("aria-disabled", String(busy));
}

function cohort() {
  return document.querySelector("input[name=cohort]:checked").value;
}

/** Reads the drawing; true when an answer came. Whatever goes wrong, the drawing stays. */
async function readDrawing() {
  if (pad.empty || busy) return false;
  const { strokes } = pad;
  const request = { pixels };
  busy = true;
  showControls();
  hide(message);
  try {
    const answer = await attempt.run(request, (key) =>
      session.run((token) => predict(token, request.pixels, { key, cohort: cohort() })),
    );
    const kept = answers.add(answer, strokes);
    if (pad.strokes === strokes) pad.finish();
    showBalance(answer.balance);
    showLatest(kept);
    byId("spoken").textContent = `It reads ${answer.label}. ${counted(answer.balance, "credit")} left.`;
    return true;
  } catch (problem) {
    if (problem.slug === "insufficient-credits") showBalance(0);
    show(message, explained(problem), {
      requestId: problem.requestId,
      actions: { topup: openTopUp, again: readDrawing },
    });
    message.scrollIntoView({ block: "nearest" });
    return false;
  } finally {
    busy = false;
    showControls();
  }
}

function showBalance(balance) {
  byId("balance").textContent = String(balance);
  byId("balance-unit").textContent = balance === 1 ? "credit left" : "credits left";
  document.querySelector(".credits").classList.toggle("spent", balance === 0);
}

async function correct(answer, label) {
  await session.run((token) => feedback(token, answer.id, label));
  answers.correct(answer, label);
  showTiles(answers, { open: openDetail, openCard });
  if (answers.list[0] === answer && byId("detail").open) fillLatest(answer);
}

function fillLatest(answer) {
  byId("latest").replaceChildren(reading(answer, { correct: (label) => correct(answer, label), openCard }));
}

function showLatest(answer) {
  fillLatest(answer);
  showTiles(answers, { open: openDetail, openCard });
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  document.querySelector("#latest .verdict").scrollIntoView({ block: "nearest", behavior: calm ? "auto" : "smooth" });
}

function openDetail(answer, number) {
  byId("detail-title").textContent = `Answer ${number}`;
  byId("detail-body").replaceChildren(reading(answer, { correct: (label) => correct(answer, label), openCard }));
  byId("detail").showModal();
  // The tile that opened it is made anew when its answer is judged.
  byId("detail").onclose = () => document.querySelector(`#tiles li[value="${number}"] button`)?.focus();
  drawStrokes(byId("detail-drawing"), centred(answer.strokes), getComputedStyle(byId("detail")).color);
}

function drawSample(digit) {
  if (busy) return;
  pad.draw(sampleOf(digit, turn));
  turn += 1;
}

async function readTen() {
  for (let digit = 0; digit < 10; digit += 1) {
    drawSample(digit);
    if (!(await readDrawing())) return;
  }
}

function wire() {
  read.addEventListener("click", readDrawing);
  byId("clear").addEventListener("click", () => pad.clear());
  byId("undo").addEventListener("click", () => pad.undo());
  byId("open-topup").addEventListener("click", openTopUp);
  byId("read-ten").addEventListener("click", readTen);
  for (let digit = 0; digit < 10; digit += 1) {
    const name = `Draw a sample ${digit}`;
    const button = element("button", { type: "button", "aria-label": name, onclick: () => drawSample(digit) }, String(digit));
    byId("samples").append(button);
  }
  for (const radio of document.querySelectorAll("input[name=cohort]")) {
    radio.addEventListener("change", () => (byId("cohort-tag").hidden = cohort() === "normal"));
  }
  for (const close of document.querySelectorAll("[data-close]")) {
    close.addEventListener("click", () => close.closest("dialog").close());
  }
  byId("cohort-tag").hidden = cohort() === "normal";
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    inkChanged();
    showTiles(answers, { open: openDetail, openCard });
  });
  listen({ sample: drawSample, read: readDrawing, clear: () => pad.clear(), undo: () => pad.undo() });
  penOn(byId("pad"), pad);
}

async function begin() {
  wire();
  inkChanged();
  if (answers.list.length) fillLatest(answers.list[0]);
  showTiles(answers, { open: openDetail, openCard });
  if (!session.begun) return;
  try {
    const { balance, held } = await session.run(account);
    showBalance(balance - held);
  } catch {
    // The next call will say what is wrong, where the visitor looks.
    byId("balance").textContent = "–";
    byId("balance-unit").textContent = "credits";
  }
}

begin();
