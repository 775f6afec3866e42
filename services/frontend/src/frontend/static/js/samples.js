// A few digits to draw at the press of a key. Outlines in a cell 100 wide and 140 high: `|` is a corner, `/` lifts the pen.
import { SQUARE } from "./ink.js";

const OUTLINES = [
  ["58,6 30,18 12,54 12,92 30,128 56,134 82,110 90,68 80,26 54,7", "66,14 36,8 14,46 10,94 32,132 68,128 92,88 88,40 62,10"],
  ["22,40 40,24 54,6 | 54,70 53,136", "50,4 49,70 50,136"],
  ["14,34 32,9 64,8 82,32 68,72 38,106 12,133 | 50,131 92,133", "16,30 42,6 78,20 74,64 40,112 16,128 16,112 34,110 60,128 94,126"],
  ["14,22 44,6 78,24 68,56 40,66 | 74,74 88,104 60,133 12,120", "14,10 84,10 | 44,58 | 78,70 86,110 48,136 10,122"],
  ["26,6 20,48 12,84 | 54,83 94,80 / 70,26 68,82 66,138", "66,4 38,48 6,92 | 50,93 96,91 / 67,8 68,70 68,138"],
  ["84,8 54,8 28,9 | 22,58 | 54,50 86,76 80,118 46,136 12,122", "26,10 22,60 | 56,52 84,74 82,112 52,136 12,124 / 26,9 86,7"],
  ["70,6 38,36 16,82 22,122 50,136 78,118 78,90 52,78 24,96", "56,4 28,54 12,102 32,133 64,128 76,102 54,84 20,104"],
  ["10,12 48,12 88,10 | 62,68 42,138", "10,12 50,11 90,10 | 62,70 40,138 / 28,74 84,69"],
  ["78,24 50,5 22,26 44,60 78,94 66,131 34,132 18,102 46,66 76,38 76,22", "50,66 24,46 26,14 52,4 76,22 72,52 50,66 20,86 16,118 48,136 82,120 80,86 52,67"],
  ["80,28 52,6 22,22 22,52 50,64 76,46 82,16 | 80,76 76,138", "82,28 54,6 22,24 22,56 52,66 78,44 84,24 84,78 64,124 24,132"],
];

/** A sample of this digit as strokes in the square; `turn` picks among its variants. */
export function sampleOf(digit, turn) {
  const outlines = OUTLINES[digit];
  return outlines[turn % outlines.length].split("/").map((stroke) => {
    const parts = stroke.split("|").map((part) => part.trim().split(/\s+/).map((point) => point.split(",").map(Number)));
    return parts.flatMap((part, index) => smooth(index === 0 ? part : [parts[index - 1].at(-1), ...part])).map(placed);
  });
}

/** A Catmull-Rom curve through the points, eight steps between two. */
function smooth(points) {
  const at = (index) => points[Math.max(0, Math.min(points.length - 1, index))];
  const curve = [points[0]];
  for (let index = 0; index < points.length - 1; index += 1) {
    const [a, b, c, d] = [at(index - 1), at(index), at(index + 1), at(index + 2)];
    for (let step = 1; step <= 8; step += 1) {
      const t = step / 8;
      curve.push(
        [0, 1].map(
          (axis) =>
            0.5 *
            (2 * b[axis] +
              (c[axis] - a[axis]) * t +
              (2 * a[axis] - 5 * b[axis] + 4 * c[axis] - d[axis]) * t * t +
              (3 * b[axis] - a[axis] - 3 * c[axis] + d[axis]) * t * t * t),
        ),
      );
    }
  }
  return curve;
}

function placed([x, y]) {
  const scale = 1.4;
  return [SQUARE / 2 + (x - 50) * scale, SQUARE / 2 + (y - 70) * scale];
}
