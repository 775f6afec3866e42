// Strokes → the 64 numbers that the models were trained on. Pure: no page, no canvas.
//
// The training data are NIST's normalisation: a digit fills the height of a 32 × 32 bitmap and about 20 of its columns,
// is sheared until the left ends of its first and last row stand one above the other, and is as thick as makes about 313
// of the 1024 cells black (5 % to 95 %: 261 to 368, whatever the digit; so a bare 1 is fat). The bitmap is counted in
// 4 × 4 blocks. The same is done here, with the pen's path as the truth, not the pixels on the screen. The README says
// how the numbers below were measured.

const SIDE = 32;
const BLOCK = 4;
const COLUMNS = 20;
const INK = 313;
const THINNEST = 2;
const THICKEST = 4.5;
const EDGE_BAND = 0.08;
const MOST_LEAN = 0.8;
const MOST_WIDENED = 1.5;
const MOST_HEIGHTENED = 2.5;

/** Strokes, each a list of [x, y, …] in any unit, y down → 64 whole numbers from 0 to 16, row by row. */
export function pixelsOf(strokes) {
  const pixels = new Array(64).fill(0);
  const path = uprighted(segmentsOf(strokes));
  if (path.length === 0) return pixels;
  let radius = THINNEST;
  // How thick the pen is decides how far the path must stay from the edge, and the other way round.
  for (let round = 0; round < 3; round += 1) radius = radiusFor(distancesTo(fitted(path, radius)));
  distancesTo(fitted(path, radius)).forEach((distance, cell) => {
    if (distance > radius) return;
    const row = Math.floor(cell / SIDE / BLOCK);
    const column = Math.floor((cell % SIDE) / BLOCK);
    pixels[row * 8 + column] += 1;
  });
  return pixels;
}

/** Strokes → segments [x1, y1, x2, y2]; a dot is a segment of no length. Steps too short to matter are joined. */
function segmentsOf(strokes) {
  const { left, right, top, bottom } = boxOf(strokes.flat());
  const shortest = Math.max(right - left, bottom - top) / 80;
  return strokes.flatMap((stroke) => {
    const kept = [];
    stroke.forEach(([x, y], index) => {
      const last = kept.at(-1);
      const near = last && Math.hypot(x - last[0], y - last[1]) < shortest;
      if (!near || index === stroke.length - 1) kept.push([x, y]);
    });
    return kept.map(([x, y], index) => [...kept[Math.max(0, index - 1)], x, y]);
  });
}

/** Shears the path until its leftmost points near the top and near the bottom stand one above the other. */
function uprighted(path) {
  const ends = endsOf(path);
  const { top, bottom } = boxOf(ends);
  const height = bottom - top;
  if (!(height > 0)) return path;
  const band = EDGE_BAND * height;
  const high = boxOf(ends.filter(([, y]) => y <= top + band)).left;
  const low = boxOf(ends.filter(([, y]) => y >= bottom - band)).left;
  const lean = Math.max(-MOST_LEAN, Math.min(MOST_LEAN, (low - high) / height));
  return path.map(([x1, y1, x2, y2]) => [x1 - lean * (y1 - top), y1, x2 - lean * (y2 - top), y2]);
}

/** Moves and scales the path so that, drawn with `radius`, it fills the height and COLUMNS columns, centred. */
function fitted(path, radius) {
  const { left, right, top, bottom } = boxOf(endsOf(path));
  const fullX = (COLUMNS - 2 * radius) / Math.max(right - left, 1e-6);
  const fullY = (SIDE - 2 * radius) / Math.max(bottom - top, 1e-6);
  // A thin digit is not blown up to full width, nor a flat one to full height.
  const scaleX = Math.min(fullX, fullY * MOST_WIDENED);
  const scaleY = Math.min(fullY, fullX * MOST_HEIGHTENED);
  const toX = (x) => SIDE / 2 + (x - (left + right) / 2) * scaleX;
  const toY = (y) => SIDE / 2 + (y - (top + bottom) / 2) * scaleY;
  return path.map(([x1, y1, x2, y2]) => [toX(x1), toY(y1), toX(x2), toY(y2)]);
}

/** The distance of each cell's middle, row by row, from the path. */
function distancesTo(path) {
  return Float64Array.from({ length: SIDE * SIDE }, (_, cell) => {
    const x = (cell % SIDE) + 0.5;
    const y = Math.floor(cell / SIDE) + 0.5;
    let nearest = Infinity;
    for (const [x1, y1, x2, y2] of path) {
      const dx = x2 - x1;
      const dy = y2 - y1;
      const squared = dx * dx + dy * dy;
      const along = squared === 0 ? 0 : Math.max(0, Math.min(1, ((x - x1) * dx + (y - y1) * dy) / squared));
      const offX = x - x1 - along * dx;
      const offY = y - y1 - along * dy;
      nearest = Math.min(nearest, offX * offX + offY * offY);
    }
    return Math.sqrt(nearest);
  });
}

/** Half the pen's thickness that blackens INK cells, within what a pen may be. */
function radiusFor(distances) {
  return Math.max(THINNEST, Math.min(THICKEST, distances.sort()[INK - 1]));
}

function endsOf(path) {
  return path.flatMap(([x1, y1, x2, y2]) => [
    [x1, y1],
    [x2, y2],
  ]);
}

function boxOf(points) {
  const box = { left: Infinity, right: -Infinity, top: Infinity, bottom: -Infinity };
  for (const [x, y] of points) {
    box.left = Math.min(box.left, x);
    box.right = Math.max(box.right, x);
    box.top = Math.min(box.top, y);
    box.bottom = Math.max(box.bottom, y);
  }
  return box;
}
