// What all tasks say together, before what each says: a matrix of tasks and backbones with the marks of their tables, and
// the diagram of mean ranks (Demsar 2006), of the comparison that is chosen.
const verdictOf = () => (data.verdict && data.verdict.comparisons[state.comparison]) || null;

const comparisonName = (c) => [c.probe || 'each task\u2019s probe',
  c.shots > 0 ? c.shots + ' a class' : c.fraction < 1 ? +(100 * c.fraction).toPrecision(4) + ' % of train' : 'all of train',
  c.where ? 'where ' + c.where : ''].filter(Boolean).join(', ');

const comparisonChooser = () => (data.verdict.comparisons.length < 2 ? null : html('label', { class: 'picker' }, 'over tasks by',
  html('select', { onchange: (e) => { state.comparison = Number(e.target.value); redrawVerdict(); } },
    ...data.verdict.comparisons.map((c, i) =>
      html('option', { value: i, selected: i === state.comparison ? '' : null }, comparisonName(c))))));

// Gains speak of points where metrics are percentages, else of the metric; of shares of the way to the ceiling where
// metrics differ.
const gainText = (comparison, over) => {
  const metric = comparison.in_shares ? null : metricOf(comparison.metric);
  const text = (value) => {
    const shown = (!metric || metric.percent ? 100 * value : value).toFixed(!metric || metric.percent ? 1 : 3);
    return (value > 0 ? '+' : '') + shown;
  };
  const interval = over.these ? ' [' + text(over.these.low) + ', ' + text(over.these.high) + ']' : '';
  return text(over.value) + interval + (over.holm_these !== null && over.holm_these >= data.alpha ? ' ns' : '');
};

const scoreCell = (comparison, row, t) => {
  const task = comparison.tasks[t], section = data.sections[task.section], index = row.rows[t];
  const shown = section.rows[index], difference = shown && shown.difference, metric = metricOf(task.metric);
  const survives = difference && difference.survives;
  const better = survives && metric.higher_is_better === difference.value > 0;
  return html('td', { class: 'number' }, html('span', { class: survives ? 'survives ' + (better ? 'up' : 'down') : null },
    show(metric, section, row.scores[t])));
};

const matrixFoot = (comparison) => {
  const line = (title, cell) => html('tr', { class: 'summary' }, html('th', { scope: 'row' }, title),
    ...comparison.rows.map((row) => html('td', { class: 'number' }, cell(row))));
  const gains = comparison.rows.map((row) => (comparison.in_shares ? row.gain_share : row.gain));
  return [
    line('mean gain over ' + comparison.baseline + (comparison.in_shares ? ', % of the way to the ceiling' : ''),
      (row) => { const gain = gains[comparison.rows.indexOf(row)]; return row.baseline ? 'baseline' : gain ? gainText(comparison, gain) : ''; }),
    line('wins, ties, losses', (row) => (row.baseline ? '' : [row.wins, row.ties, row.losses].join(', '))),
    line('mean rank', (row) => row.mean_rank.toFixed(2))];
};

const matrix = (comparison) => {
  const head = comparison.rows.map((row) => html('th', { scope: 'col', class: 'number', title: row.backbone }, shortened(row.backbone)));
  const body = comparison.tasks.map((task, t) => html('tr', null,
    html('th', { scope: 'row', class: 'name' }, html('a', { href: '#section-' + task.section, tabindex: -1, class: 'stop',
      onclick: () => folds && openSection(task.section) }, task.task), html('span', { class: 'interval' }, metricOf(task.metric).title)),
    ...comparison.rows.map((row) => scoreCell(comparison, row, t))));
  return scrolling('tasks and backbones', oneStop(html('table', { class: 'results matrix roving' },
    html('caption', { class: 'unseen' }, 'Scores of every backbone on every task: ' + comparisonName(comparison)),
    html('thead', null, html('tr', null, html('th', { scope: 'col' }, 'task'), ...head)),
    html('tbody', null, ...body, ...matrixFoot(comparison)))));
};

// Names hang from their ranks, the better half on the left; a bar joins backbones that these tasks don't tell apart.
const rankDiagram = (comparison, width) => {
  const rows = comparison.rows.map((row, i) => ({ row, i })).sort((a, b) => a.row.mean_rank - b.row.mean_rank);
  if (rows.length < 2 || comparison.critical_difference === null) return null;
  const side = Math.min(170, width * 0.3), half = Math.ceil(rows.length / 2), step = 20;
  const x = d3.scaleLinear().domain([1, rows.length]).range([side + 10, width - side - 10]);
  const bars = comparison.cliques.filter((clique) => clique.length > 1), top = 26, below = top + 12 + 9 * bars.length;
  const svg = drawing(width, below + half * step + 16, 'mean ranks over ' + comparison.tasks.length + ' tasks');
  svg.append('g').attr('class', 'axis ranks').attr('transform', `translate(0,${top})`)
    .call(d3.axisTop(x).tickValues(d3.range(1, rows.length + 1)).tickFormat(d3.format('d')).tickSize(5));
  rows.forEach(({ row }, place) => {
    const left = place < half, y = below + 12 + step * (left ? place : rows.length - 1 - place), end = left ? side : width - side;
    const group = mark(svg, row.backbone + '\nmean rank ' + row.mean_rank.toFixed(2)
      + (row.rank_these ? '\n' + levelText() + ' interval ' + row.rank_these.low.toFixed(2) + ' to ' + row.rank_these.high.toFixed(2) : ''));
    group.append('path').attr('class', 'leader').attr('d', `M${x(row.mean_rank)} ${top}V${y}H${end}`);
    put(group, left ? end - 5 : end + 5, y + 4, clip(row.backbone, side - 8), left ? 'end' : 'start', 'ink');
  });
  bars.forEach((clique, i) => {
    const ranks = clique.map((r) => comparison.rows[r].mean_rank), y = top + 10 + 9 * i;
    svg.append('path').attr('class', 'clique').attr('d', `M${x(Math.min(...ranks)) - 4} ${y}H${x(Math.max(...ranks)) + 4}`);
  });
  return figure('Mean ranks', 'Over ' + comparison.tasks.length + ' tasks, 1 is best; a bar joins what these tasks don\u2019t tell apart '
    + '(Wilcoxon, Holm). Critical difference ' + comparison.critical_difference.toFixed(2) + ' (Nemenyi).', svg);
};

const verdictSection = (width) => {
  const comparison = verdictOf(), curves = curvesOverTasks(comparison ? comparison.probe : '', width);
  if (!comparison && !curves.length) return null;
  const answer = comparison ? [...comparison.says.map((sentence) => html('p', null, sentence)), comparisonChooser(), matrix(comparison)] : [];
  return html('section', { class: 'task', id: 'verdict' }, html('h2', null, 'Over all tasks'), ...answer,
    html('div', { class: 'charts' }, comparison ? rankDiagram(comparison, curves.length && width >= 890 ? (width - 28) / 2 : width) : null, ...curves));
};
const redrawVerdict = () => {
  const old = document.getElementById('verdict');
  if (old) old.replaceWith(verdictSection(roomForCharts()));
};
