// The drawing surface: mouse, finger and pen by pointer events, with undo.
import { SQUARE, drawStrokes } from "./ink.js";

export class Pad {
  #canvas;
  #strokes = [];
  #history = [];
  #pointer = null;
  #pen = null;
  #finished = false;
  #onChange;

  /** `onChange()` hears of every change of the ink. */
  constructor(canvas, onChange) {
    this.#canvas = canvas;
    this.#onChange = onChange;
    canvas.addEventListener("pointerdown", (event) => this.#begin(event));
    canvas.addEventListener("pointermove", (event) => this.#extend(event));
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) {
      canvas.addEventListener(end, (event) => this.#end(event));
    }
    new ResizeObserver(() => this.redraw()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.redraw());
  }

  /** Strokes, each a list of [x, y] in a square of 280. */
  get strokes() {
    return this.#strokes;
  }

  get empty() {
    return this.#strokes.length === 0;
  }

  get canUndo() {
    return this.#history.length > 0;
  }

  /** The drawing was read: the next stroke begins a new one. */
  finish() {
    this.#finished = true;
  }

  clear() {
    if (!this.empty) this.#replace([]);
  }

  /** Puts these strokes in the drawing's place. */
  draw(strokes) {
    this.#replace(strokes);
  }

  /** Takes back the last stroke, clearing or sample. */
  undo() {
    if (!this.canUndo) return;
    this.#strokes = this.#history.pop();
    this.#finished = false;
    this.#changed();
  }

  /** Begins a stroke at a point. */
  penDown(point) {
    this.#replace([...(this.#finished ? [] : this.#strokes), [point]]);
  }

  /** Draws on to a point. */
  penMove(point) {
    this.#strokes.at(-1)?.push(point);
    this.#changed();
  }

  /** Shows the strokes, and a ring where the keyboard's pen is. */
  redraw(pen = this.#pen) {
    this.#pen = pen;
    drawStrokes(this.#canvas, this.#strokes, getComputedStyle(this.#canvas).color);
    if (!pen) return;
    const context = this.#canvas.getContext("2d");
    context.lineWidth = 2;
    context.beginPath();
    context.arc(pen.x, pen.y, 11, 0, 2 * Math.PI);
    context.stroke();
    if (pen.down) context.fill();
  }

  #replace(strokes) {
    this.#history.push(this.#strokes);
    this.#strokes = strokes;
    this.#finished = false;
    this.#changed();
  }

  #changed() {
    this.redraw();
    this.#onChange();
  }

  #begin(event) {
    if (this.#pointer !== null || event.button !== 0) return;
    this.#pointer = event.pointerId;
    this.#canvas.setPointerCapture(event.pointerId);
    this.penDown(this.#pointOf(event));
  }

  #extend(event) {
    if (event.pointerId !== this.#pointer) return;
    const samples = event.getCoalescedEvents?.() ?? [];
    for (const sample of samples.length ? samples : [event]) this.#strokes.at(-1).push(this.#pointOf(sample));
    this.#changed();
  }

  #end(event) {
    if (event.pointerId === this.#pointer) this.#pointer = null;
  }

  #pointOf(event) {
    const box = this.#canvas.getBoundingClientRect();
    const inside = (value, start, length) => Math.max(0, Math.min(SQUARE, ((value - start) / length) * SQUARE));
    return [inside(event.clientX, box.left, box.width), inside(event.clientY, box.top, box.height)];
  }
}
