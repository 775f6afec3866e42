// Strokes and pixels onto a canvas. Strokes are in a square of 280 × 280, whatever the canvas measures.

export const SQUARE = 280;
const PEN = 15;

/** Draws strokes on a square canvas, as sharp as the screen allows; `colour` is any CSS colour. */
export function drawStrokes(canvas, strokes, colour) {
  const side = Math.max(1, Math.round((canvas.clientWidth || 96) * (globalThis.devicePixelRatio || 1)));
  if (canvas.width !== side || canvas.height !== side) canvas.width = canvas.height = side;
  const context = canvas.getContext("2d");
  context.setTransform(side / SQUARE, 0, 0, side / SQUARE, 0, 0);
  context.clearRect(0, 0, SQUARE, SQUARE);
  context.strokeStyle = context.fillStyle = colour;
  context.lineCap = context.lineJoin = "round";
  context.lineWidth = PEN;
  for (const stroke of strokes) {
    context.beginPath();
    context.moveTo(...stroke[0].slice(0, 2));
    // Through the middle of each step, bent towards its points: smooth where the pointer's samples are sparse.
    for (let index = 1; index < stroke.length; index += 1) {
      const [x1, y1] = stroke[index - 1];
      const [x2, y2] = stroke[index];
      context.quadraticCurveTo(x1, y1, (x1 + x2) / 2, (y1 + y2) / 2);
    }
    context.lineTo(...stroke.at(-1).slice(0, 2));
    context.stroke();
  }
}

/** The same strokes in the middle of the square, as large as fits; small ones are not blown up more than twice. */
export function centred(strokes) {
  const xs = strokes.flatMap((stroke) => stroke.map(([x]) => x));
  const ys = strokes.flatMap((stroke) => stroke.map(([, y]) => y));
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const scale = Math.min(2, 170 / Math.max(right - left, bottom - top, 1));
  const [middleX, middleY] = [(left + right) / 2, (top + bottom) / 2];
  const place = ([x, y]) => [SQUARE / 2 + (x - middleX) * scale, SQUARE / 2 + (y - middleY) * scale];
  return strokes.map((stroke) => stroke.map(place));
}

/** Shows 64 numbers, 0 to 16, as an 8 × 8 picture in the canvas's own text colour. */
export function drawPixels(canvas, pixels) {
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, 8, 8);
  context.fillStyle = getComputedStyle(canvas).color;
  pixels.forEach((value, index) => {
    context.globalAlpha = value / 16;
    context.fillRect(index % 8, Math.floor(index / 8), 1, 1);
  });
  context.globalAlpha = 1;
}
