// The page: a header with the choice of the baseline, a section a table, and how to read it.
const provenance = (section) => html('details', { class: 'provenance' },
  html('summary', null, 'Provenance: weights, transforms, settings'),
  ...section.rows.flatMap((r) => [html('h3', null, rowName(section, r)),
    html('pre', null, JSON.stringify(r.provenance, null, 1))]));

const rowPicker = (section, s) => html('label', { class: 'picker' }, 'details of',
  html('select', { onchange: (e) => { state.row[s] = Number(e.target.value); redraw(s); } },
    ...section.rows.map((r, i) =>
      html('option', { value: i, selected: i === state.row[s] ? '' : null }, rowName(section, r)))));

const charts = (section, s, width) => {
  const column = width < 890 ? width : (width - 28) / 2, row = section.rows[state.row[s]];
  const drawn = (list, ...about) => list.map((chart) => chart(...about, column)).filter(Boolean);
  const overview = drawn([valuesChart, sweepCharts, shotsChart, layersChart, costChart], section).flat();
  if (!section.rows.some((r) => r.confusion.length)) return [html('div', { class: 'charts' }, ...overview)];
  const details = drawn([confusionChart, reliabilityChart, agreementChart], section, row);
  return [html('div', { class: 'charts' }, ...overview),
    html('div', { class: 'details' }, rowPicker(section, s), html('div', { class: 'charts' }, ...details),
      winsSection(section, s), gallery(section, row, s))];
};

const drawSection = (section, s, width) => {
  const open = document.querySelector('#section-' + s + ' details.provenance[open]');
  const inside = () => {
    const settings = provenance(section);
    if (open) settings.open = true;
    return [html('p', { class: 'muted' }, section.head, ...noteLinks(section.notes)),
      table(section, s), section.foot ? html('p', { class: 'muted small' }, section.foot) : null, ...charts(section, s, width), settings];
  };
  return html('section', { class: 'task', id: 'section-' + s },
    ...(folds ? [foldedSection(section, s, inside)] : [html('h2', null, section.title), ...inside()]));
};

// Of a section's inside, in pixels.
const roomForCharts = () => {
  const phone = innerWidth <= 600, page = document.documentElement.clientWidth - (phone ? 20 : 40);
  return Math.max(240, Math.min(1140, page) - (phone ? 26 : 42));
};
const redraw = (s) => {
  const old = document.getElementById('section-' + s), frame = old.querySelector('.scroll'), scroll = frame ? frame.scrollLeft : 0;
  const fresh = drawSection(data.sections[s], s, roomForCharts());
  old.replaceWith(fresh);
  if (scroll) fresh.querySelector('.scroll').scrollLeft = scroll;
};
const redrawAll = () => data.sections.forEach((_, s) => redraw(s));

const baselineChooser = () => html('select',
  { id: 'baseline', onchange: (e) => { state.baseline = e.target.value; redrawAll(); } },
  data.baseline ? null : html('option', { value: '', selected: state.baseline === '' ? '' : null }, 'each task\u2019s own'),
  ...data.backbones.map((b) => html('option', { value: b, selected: b === state.baseline ? '' : null }, b)));

const header = () => {
  const rows = data.sections.flatMap((section) => section.rows);
  const versions = [...new Set(rows.flatMap((r) => r.provenance.map((p) => p.version)))].join(', ');
  const tasks = new Set(data.sections.map((section) => section.task)).size;
  return html('div', { class: 'bar' },
    html('div', null, html('h1', null, 'Comparison of frozen representations'),
      html('p', { class: 'muted' }, 'vise-eval ' + versions + ': ' + rows.length + ' rows, ' + tasks + (tasks === 1 ? ' task' : ' tasks'))),
    html('label', null, 'baseline', baselineChooser()));
};

const footer = () => html('div', { class: 'notes small' }, html('h2', null, 'How to read this'),
  ...data.reading.map((sentence) => html('p', null, sentence)),
  html('p', null, '\u25b2 \u25bc: better or worse than the baseline after Holm\u2019s adjustment; ns: not shown by '
    + 'these images. Numbers are those of results.jsonl. Charts are drawn with D3 (d3js.org, BSD and ISC licences).'),
  data.seal ? html('p', { class: 'seal' }, 'Seal: ', html('code', null, data.seal),
    '. SHA-256 over results, scores, splits, tables and program; vise-eval verify RUN computes it again.') : null,
  data.footnotes.length
    ? html('ol', null, ...data.footnotes.map((note, i) => html('li', { id: 'note-' + (i + 1) }, note))) : null);

const drawOne = (s) => drawSection(data.sections[s], s, roomForCharts());
if (folds) state.open[tasks[0].sections[0]] = true;
document.getElementById('page').append(...[header(), verdictSection(roomForCharts())].filter(Boolean),
  ...(folds ? [contents(), ...tasks.map((task, t) => taskGroup(task, t, drawOne))] : tasks.flatMap((task) => task.sections.map(drawOne))),
  footer());
document.body.append(tip);
const aimed = /^#section-(\d+)$/.exec(location.hash);
if (folds && aimed && Number(aimed[1]) < data.sections.length) openSection(Number(aimed[1]));
let drawnFor = innerWidth;
addEventListener('resize', () => {
  if (innerWidth === drawnFor) return;
  drawnFor = innerWidth;
  redrawVerdict();
  redrawAll();
});
