// Makes elements. What comes from outside enters the page as text or as the value of a harmless attribute, never as
// markup: nothing here parses HTML, and the page's policy would refuse it.

const SVG = "http://www.w3.org/2000/svg";

export const find = (id) => document.getElementById(id);

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

// An HTML element; children that are no nodes become text.
export function make(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

// An SVG element.
export function draw(name, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, name), attributes, children);
}

// Writes only what is new, so that nothing is laid out or read out again for nothing.
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function mark(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

// Says something to whoever listens to the page rather than sees it.
export function say(text) {
  write(find("said"), text);
}
