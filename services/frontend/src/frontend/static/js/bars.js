// A share of each digit as bars, with their numbers as text.
import { element } from "./element.js";

/** A definition list called `name`: digit → bar and percentage; the row of the digit `best`, if any, stands out. */
export function bars(shares, name, best) {
  return element(
    "dl",
    { class: "bars", "aria-label": name },
    ...shares.map((share, digit) => {
      const fill = element("div", { class: "fill" });
      fill.style.setProperty("--share", share.toFixed(4));
      return element(
        "div",
        { class: digit === best ? "best" : "" },
        element("dt", {}, String(digit)),
        element("dd", { class: "track", "aria-hidden": "true" }, fill),
        element("dd", { class: "share" }, percent(share)),
      );
    }),
  );
}

/** 0.9134 → "91.3 %"; what is not nothing is never shown as 0. */
export function percent(share) {
  if (share > 0 && share < 0.0005) return "< 0.1 %";
  return `${(share * 100).toFixed(1)} %`;
}
