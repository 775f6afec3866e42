// The page by keyboard: digits draw samples, Enter reads, Backspace clears, Z undoes; on the surface arrows move a pen.
import { SQUARE } from "./ink.js";

const STEP = SQUARE / 14;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** `actions`: sample(digit), read(), clear(), undo(). Keys in fields and dialogs are left alone. */
export function listen(actions) {
  document.addEventListener("keydown", (event) => {
    const inControl = event.target.closest("input, textarea, select, dialog");
    if (event.defaultPrevented || inControl || event.altKey || document.querySelector("dialog[open]")) return;
    if (event.ctrlKey || event.metaKey) {
      if (event.key.toLowerCase() === "z" && !event.shiftKey) did(event, actions.undo);
      return;
    }
    const onButton = event.target.closest("button, a, summary");
    if (/^[0-9]$/.test(event.key)) did(event, () => actions.sample(Number(event.key)));
    else if (event.key === "Enter" && !onButton && !event.repeat) did(event, actions.read);
    else if (event.key === "Backspace" || event.key === "Delete") did(event, actions.clear);
    else if (event.key.toLowerCase() === "z") did(event, actions.undo);
  });
}

/** A pen for the keyboard: arrows move it by a fourteenth of the surface, Space puts it down or lifts it, Escape lifts it. */
export function penOn(canvas, pad) {
  const pen = { x: SQUARE / 2, y: SQUARE / 7, down: false };
  const show = () => pad.redraw(canvas.matches(":focus-visible") ? pen : null);
  canvas.addEventListener("focus", show);
  canvas.addEventListener("blur", () => {
    pen.down = false;
    pad.redraw(null);
  });
  canvas.addEventListener("pointerdown", () => {
    pen.down = false;
    pad.redraw(null);
  });
  canvas.addEventListener("keydown", (event) => {
    const arrow = ARROWS[event.key];
    if (arrow) {
      pen.x = Math.max(0, Math.min(SQUARE, pen.x + arrow[0] * STEP));
      pen.y = Math.max(0, Math.min(SQUARE, pen.y + arrow[1] * STEP));
      if (pen.down) pad.penMove([pen.x, pen.y]);
    } else if (event.key === " ") {
      pen.down = !pen.down;
      if (pen.down) pad.penDown([pen.x, pen.y]);
    } else if (event.key === "Escape") {
      pen.down = false;
    } else {
      if (event.key !== "Tab" && event.key !== "Shift") pen.down = false;
      return;
    }
    event.preventDefault();
    show();
  });
}

function did(event, action) {
  event.preventDefault();
  action();
}
