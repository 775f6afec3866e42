// Makes elements without a template language: text is always text, never markup.

/** `element("p", { class: "note", onclick: f, "aria-label": "x" }, "text", child)`; falsy children are left out. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== undefined && value !== null) made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== false && child !== null && child !== undefined));
  return made;
}

/** The element of this id. */
export function byId(id) {
  return document.getElementById(id);
}

/** "3 credits", "1 credit". */
export function counted(number, noun) {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
