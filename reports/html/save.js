// A figure as a file: the drawing with its styles written into it, in the colours of paper whichever the screen's are.
const savedStyles = ['fill', 'fill-opacity', 'stroke', 'stroke-width', 'stroke-dasharray', 'opacity', 'font-size',
  'font-family', 'font-weight', 'text-anchor', 'display'];

const svgText = (svg) => {
  const ink = () => svg.querySelectorAll('[data-shade]').forEach((e) => e.setAttribute('class', inkOnHeat(e.dataset.shade)));
  document.documentElement.classList.add('paper');
  ink();
  const copy = svg.cloneNode(true), originals = [...svg.querySelectorAll('*')];
  [...copy.querySelectorAll('*')].forEach((element, i) => {
    const style = getComputedStyle(originals[i]);
    for (const name of savedStyles) element.setAttribute(name, style.getPropertyValue(name));
    for (const name of ['class', 'style', 'tabindex', 'role', 'data-tip', 'data-shade']) element.removeAttribute(name);
  });
  document.documentElement.classList.remove('paper');
  ink();
  const [, , width, height] = svg.getAttribute('viewBox').split(' ');
  for (const name of ['style', 'role']) copy.removeAttribute(name);
  copy.setAttribute('xmlns', copy.namespaceURI);
  copy.setAttribute('width', width);
  copy.setAttribute('height', height);
  return new XMLSerializer().serializeToString(copy);
};

const fileName = (words) => words.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '').slice(0, 80) + '.svg';

const save = (title, svg) => {
  const address = URL.createObjectURL(new Blob([svgText(svg)], { type: 'image/svg+xml' }));
  const section = svg.closest('section').querySelector('h2').textContent;
  html('a', { href: address, download: fileName(section + ' ' + title) }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
};

const saveButton = (title, svg) => html('button', { type: 'button', class: 'save', 'aria-label': 'save ' + title + ' as SVG',
  onclick: () => save(title, svg) }, 'save SVG');
