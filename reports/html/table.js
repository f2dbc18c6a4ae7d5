// The comparison table: sortable, its differences those to the chosen baseline.
const differenceTip = (section, d) => {
  const metric = metricOf(section.primary_metric), other = section.rows[d.compared_with];
  const points = metric.percent ? ' points' : '';
  const lines = ['against ' + rowName(section, other) + ': ' + signed(metric, section, d.value) + points];
  if (d.low !== null)
    lines.push(levelText() + ' interval ' + signed(metric, section, d.low) + ' to ' + signed(metric, section, d.high));
  if (d.p !== null) {
    lines.push(d.test + ': p = ' + pText(d.p) + ', after Holm ' + pText(d.p_holm));
    lines.push('only this one right: ' + d.only_row + ', only the other: ' + d.only_baseline);
  }
  if (d.detectable !== null)
    lines.push('smallest difference these images would show (power 80 %): ' + percents(d.detectable) + ' points');
  d.per_class.forEach((v, k) => {
    if (v !== null) lines.push('recall of ' + section.class_names[k] + ': ' + (v > 0 ? '+' : '') + percents(v));
  });
  return lines.join('\n');
};

// A long name loses its middle, as in the charts; the whole stands in its title.
const shortened = (name) => {
  const letters = [...name];
  return letters.length <= 40 ? name : letters.slice(0, 20).join('') + '\u2026' + letters.slice(-19).join('');
};

const metricCell = (section, key, row) => {
  const metric = metricOf(key), m = row.metrics[key], small = (text) => html('span', { class: 'interval' }, text);
  return html('td', { class: 'number', 'data-metric': key },
    html('span', { class: 'value' }, show(metric, section, m.value)),
    m.std !== null ? small('\u00b1 ' + show(metric, section, m.std)) : null,
    m.low !== null ? small('[' + show(metric, section, m.low) + ', ' + show(metric, section, m.high) + ']') : null);
};

const differenceCell = (section, row, index) => {
  if (isBaseline(section, row)) return html('td', { class: 'number muted difference' }, 'baseline');
  const d = differenceOf(section, index), metric = metricOf(section.primary_metric);
  if (!d) return html('td', { class: 'number difference' });
  const better = metric.higher_is_better === d.value > 0;
  const strength = d.p_holm === null ? '' : d.survives ? 'survives ' + (better ? 'up' : 'down') : 'ns';
  const cell = html('td', { class: 'number difference stop', 'data-tip': differenceTip(section, d), tabindex: -1 },
    html('span', { class: strength }, signed(metric, section, d.value) + (strength !== 'ns' ? '' : d.survives_alone ? ' ns (Holm)' : ' ns')));
  if (d.low !== null)
    cell.append(html('span', { class: 'interval' }, '[' + signed(metric, section, d.low) + ', ' + signed(metric, section, d.high) + ']'));
  return cell;
};

const pCell = (section, index) => {
  const d = differenceOf(section, index), text = d && d.p_holm !== null ? pText(d.p_holm) : '';
  return html('td', { class: 'number' + (d && !d.survives ? ' ns' : '') }, text);
};

const publishedCell = (row) => html('td', { class: 'number' },
  row.published.map((p, i) =>
    [(i ? '; ' : '') + p.value + (p.std === null ? '' : ' \u00b1 ' + p.std), noteLinks([p.note])]).flat(2));

const primaryColumns = (section) => {
  const of = (i, key) => (differenceOf(section, i) || { [key]: null })[key];
  const difference = { title: 'vs ' + baselineOf(section), number: true, sort: (r, i) => of(i, 'value'),
    cell: (r, i) => differenceCell(section, r, i) };
  const p = { title: 'p (Holm)', number: true, sort: (r, i) => of(i, 'p_holm'), cell: (r, i) => pCell(section, i) };
  return data.resamples > 0 ? [difference, p] : [difference];
};

const metricColumn = (section, key) => {
  const word = key === section.primary_metric ? 'failed' : '';
  return { title: metricOf(key).short, number: true, sort: (r) => r.metrics[key].value,
    cell: (r) => (r.status === 'failed' ? html('td', { class: 'number failed' }, word) : metricCell(section, key, r)) };
};

// Each column: its title, the value it sorts by, and its cell.
const columns = (section) => {
  const any = (test) => section.rows.some(test);
  const list = [
    { title: 'backbone', sort: (r) => r.label,
      cell: (r) => html('th', { class: 'name', scope: 'row' }, html('span', { class: 'whole', title: r.label }, shortened(r.label)),
        ...noteLinks(r.notes)) },
    { title: 'probe', sort: (r) => r.probe, cell: (r) => html('td', null, r.probe) }];
  if (any((r) => r.provenance.length > 1))
    list.push({ title: section.folds.length ? 'folds' : 'seeds', number: true, sort: (r) => r.seeds,
      cell: (r) => html('td', { class: 'number' }, String(r.seeds)) });
  for (const key of section.shown)
    list.push(metricColumn(section, key), ...(key === section.primary_metric ? primaryColumns(section) : []));
  if (any((r) => r.published.length))
    list.push({ title: 'published', number: true, sort: (r) => (r.published[0] || { value: null }).value,
      cell: publishedCell });
  if (any((r) => r.chosen))
    list.push({ title: section.selected_on ? 'chosen on ' + section.selected_on : 'chosen', sort: (r) => r.chosen,
      cell: (r) => html('td', { 'data-tip': r.on_edge ? 'the chosen value is on the edge of its grid' : null },
        r.chosen + (r.on_edge ? ' (edge)' : '')) });
  return list;
};

// Missing values stay last whichever way the others go.
const sortedRows = (section, list, sort) => {
  const rows = section.rows.map((row, index) => ({ row, index }));
  if (!sort) return rows;
  const by = list[sort.column].sort, sign = sort.descending ? -1 : 1;
  const missing = (v) => v === null || v === '';
  return rows.sort((a, b) => {
    const x = by(a.row, a.index), y = by(b.row, b.index);
    if (missing(x) || missing(y)) return missing(x) - missing(y);
    return sign * (typeof x === 'string' ? x.localeCompare(y) : x - y);
  });
};

const headCell = (column, c, s) => {
  const sort = state.sort[s], sorted = sort && sort.column === c;
  const click = () => {
    state.sort[s] = { column: c, descending: sorted ? !sort.descending : !!column.number };
    redraw(s);
    document.querySelectorAll('#section-' + s + ' thead button')[c].focus();
  };
  return html('th', { scope: 'col', class: column.number ? 'number' : null,
    'aria-sort': sorted ? (sort.descending ? 'descending' : 'ascending') : 'none' },
    html('button', { type: 'button', onclick: click }, column.title));
};

const table = (section, s) => {
  const list = columns(section);
  const body = sortedRows(section, list, state.sort[s]).map(({ row, index }) =>
    html('tr', { class: isBaseline(section, row) ? 'baseline' : null, 'data-row': index },
      ...list.map((column) => column.cell(row, index))));
  const drawn = html('table', { class: 'results roving' },
    html('caption', { class: 'unseen' }, section.title + ': ' + section.head),
    html('thead', null, html('tr', null, ...list.map((column, c) => headCell(column, c, s)))),
    html('tbody', null, ...body));
  oneStop(drawn);
  return scrolling(section.title, drawn);
};
