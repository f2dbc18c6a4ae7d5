// The page's data and state, and how its HTML is made. Names of classes and backbones only ever become text nodes or
// attribute values, here and in D3's text() and attr().
const data = unpacked(JSON.parse(document.getElementById('data').textContent));
const state = {
  baseline: data.baseline,  // '': each task's own
  sort: data.sections.map(() => null),
  row: data.sections.map(() => 0),  // whose details are shown
  wins: data.sections.map(() => ({ open: false, against: undefined, column: 4, descending: false, all: false })),
  maps: true,
  overlay: null,  // which kind of map the gallery shows; null: the first that a row has
  comparison: 0,  // over tasks: of data.verdict
  open: data.sections.map(() => false),  // which folds are
};

// html('p', { class: 'muted' }, 'text', element, null): children that are null are left out; on* are listeners.
const html = (tag, attributes, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {}))
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value);
  for (const child of children.flat())
    if (child !== null && child !== undefined) element.append(child);
  return element;
};

// What may be wider than the page scrolls in a frame of its own, which says so (page.css) and takes the keyboard.
const watchWidths = new ResizeObserver((entries) => {
  for (const { target } of entries) markScrolling(target);
});
const markScrolling = (frame) => {
  const scrolls = frame.scrollWidth > frame.clientWidth + 1;
  frame.parentNode.classList.toggle('scrolls', scrolls);
  if (scrolls) frame.setAttribute('tabindex', 0);
  else frame.removeAttribute('tabindex');
};
const scrolling = (label, content) => {
  const frame = html('div', { class: 'scroll', role: 'group', 'aria-label': label }, content);
  watchWidths.observe(frame);
  return html('div', { class: 'framed' }, frame, html('p', { class: 'sideways small', 'aria-hidden': 'true' }, '\u21c6 the table scrolls sideways'));
};

const noteLinks = (numbers) => numbers.map((n) => html('sup', null, html('a', { href: '#note-' + n }, '[' + n + ']')));
