// The page's data and state, and how its HTML is made. Names of classes and backbones only ever become text nodes or
// attribute values, here and in D3's text() and attr().
const data = JSON.parse(document.getElementById('data').textContent);
const state = {
  baseline: data.baseline,  // '': each task's own
  sort: data.sections.map(() => null),
  row: data.sections.map(() => 0),  // whose details are shown
  maps: true,
  overlay: null,  // which kind of map the gallery shows; null: the first that a row has
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

const noteLinks = (numbers) => numbers.map((n) => html('sup', null, html('a', { href: '#note-' + n }, '[' + n + ']')));
