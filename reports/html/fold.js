// Pages of many tables: a fold a task, in it a fold a sample of train, drawn when opened; contents before them. Of few
// tables nothing is folded.
const folds = data.sections.length > 4;

const fullFirst = (a, b) => {
  const part = (s) => (s.shots > 0 ? 1 + s.shots : s.fraction < 1 ? 1e6 * s.fraction : 0);
  return part(data.sections[a]) - part(data.sections[b]);
};
// [{ task, sections: [0, 3] }] in the order of the table, the full sample before few-shot ones.
const tasks = [...d3.group(data.sections.map((_, s) => s), (s) => data.sections[s].task)]
  .map(([task, sections]) => ({ task, sections: sections.sort(fullFirst) }));

const sampleName = (section) => [section.target,
  section.shots > 0 ? section.shots + ' a class' : section.fraction < 1 ? +(100 * section.fraction).toPrecision(4) + ' % of train' : 'all of train',
  section.where ? 'where ' + section.where : ''].filter(Boolean).join(', ');

// The best row of a table, as a closed fold tells it.
const bestText = (section) => {
  const key = section.primary_metric, metric = metricOf(key);
  const rows = section.rows.filter((r) => r.status === 'ok' && r.metrics[key] && r.metrics[key].value !== null);
  if (!rows.length) return '';
  const best = rows.reduce((a, b) => ((b.metrics[key].value > a.metrics[key].value) === metric.higher_is_better ? b : a));
  return 'highest ' + metric.title + ': ' + shortened(rowName(section, best)) + ', ' + show(metric, section, best.metrics[key].value);
};

const openSection = (s) => {
  state.open[s] = true;
  const group = document.getElementById('section-' + s).closest('details.group');
  if (group) group.open = true;
  redraw(s);
};

// A section's inside, which is made when it is opened.
const foldedSection = (section, s, inside) => {
  const fold = html('details', { class: 'folded', open: state.open[s] ? '' : null },
    html('summary', null, html('h2', null, section.title)), ...(state.open[s] ? inside().filter(Boolean) : []));
  fold.addEventListener('toggle', () => {
    if (fold.open === !!state.open[s]) return;
    state.open[s] = fold.open;
    if (fold.open) fold.append(...inside().filter(Boolean));
    else while (fold.children.length > 1) fold.lastChild.remove();
  });
  return fold;
};

const taskGroup = ({ task, sections }, t, drawOne) => html('details', { class: 'group', open: t === 0 ? '' : null },
  html('summary', null, html('strong', null, task), ' ',
    html('span', { class: 'muted' }, sections.length > 1 ? sections.length + ' tables; ' : '', bestText(data.sections[sections[0]]))),
  ...sections.map(drawOne));

const contents = () => {
  const link = (s, name) => html('a', { href: '#section-' + s, class: 'stop', tabindex: -1, onclick: () => openSection(s) }, name);
  const items = tasks.map(({ task, sections }) => html('li', null, link(sections[0], task),
    ...(sections.length > 1 ? sections.flatMap((s) => [html('span', { class: 'muted' }, ' \u00b7 '), link(s, sampleName(data.sections[s]))]) : [])));
  return oneStop(html('nav', { class: 'contents roving small', 'aria-label': 'contents' },
    html('h2', null, 'Contents'), html('ol', null, ...items)));
};

// Paper has no folds.
addEventListener('beforeprint', () => {
  if (!folds) return;
  for (const group of document.querySelectorAll('details.group')) group.open = true;
  data.sections.forEach((_, s) => openSection(s));
});
