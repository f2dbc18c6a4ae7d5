// Charts of all rows of a section: values with intervals, sweeps, label efficiency, cost.

// Room for the names of rows left of a chart.
const nameRoom = (width) => Math.min(170, width * 0.36);

// The primary metric a row, with its interval, and the baseline as a line. Dots, not bars: the axis need not begin at
// zero, where intervals would shrink to nothing.
const valuesChart = (section, width) => {
  const key = section.primary_metric, metric = metricOf(key), of = (r) => r.metrics[key];
  const rows = section.rows.filter((r) => r.status === 'ok' && of(r).value !== null);
  if (!rows.length) return null;
  const value = (v) => scaled(metric, v);
  const ends = rows.flatMap((r) => [of(r).value, of(r).low, of(r).high]).filter((v) => v !== null).map(value);
  const [least, most] = d3.extent(ends), margin = metric.percent ? 5 : 0.1 * (most - least || 1);
  const domain = metric.percent ? [Math.max(0, least - margin), Math.min(100, most + margin)] : [least - margin, most + margin];
  const left = nameRoom(width), right = 50, step = 26, bottom = rows.length * step;
  const x = d3.scaleLinear().domain(domain).nice(width < 420 ? 3 : 5).range([left, width - right]);
  const svg = drawing(width, bottom + 26, metric.title + ' of every row with its interval');
  axisBelow(svg, x, 0, bottom, (axis) => axis.ticks(width < 420 ? 3 : 5));
  const base = rows.find((r) => isBaseline(section, r));
  if (base)
    svg.append('line').attr('class', 'reference').attr('y2', bottom)
      .attr('x1', x(value(of(base).value))).attr('x2', x(value(of(base).value)));
  const about = (r) => [rowName(section, r), metric.title + ' ' + show(metric, section, of(r).value),
    of(r).low !== null ? intervalText(metric, section, of(r)) : null,
    of(r).std !== null ? 'over ' + r.seeds + (section.folds.length ? ' folds' : ' seeds') + ' \u00b1 ' + show(metric, section, of(r).std) : null]
    .filter(Boolean).join('\n');
  rows.forEach((r, i) => {
    const m = of(r), y = i * step + step / 2, ink = isBaseline(section, r) ? 'var(--s7)' : 'var(--s0)';
    const group = mark(svg, about(r));
    group.append('rect').attr('y', y - step / 2).attr('width', width).attr('height', step).attr('fill', 'transparent');
    put(group, left - 8, y + 4, clip(rowName(section, r), left - 12), 'end', 'ink');
    if (m.low !== null) {
      const [a, b] = [x(value(m.low)), x(value(m.high))];
      group.append('path').attr('d', `M${a} ${y}H${b}M${a} ${y - 4}v8M${b} ${y - 4}v8`)
        .attr('stroke', ink).attr('stroke-width', 2);
    }
    shapeAt(group, isBaseline(section, r) ? 3 : 0, x(value(m.value)), y, 80).attr('fill', ink)
      .attr('stroke', 'var(--card)').attr('stroke-width', 1.5);
    put(group, width - right + 8, y + 4, show(metric, section, m.value), 'start', 'ink');
  });
  const lines = rows.some((r) => of(r).low !== null) ? ', lines ' + levelText() + ' intervals over test images' : '';
  return figure(metric.title + ' on test',
    'Dots are values' + lines + (base ? '; the square and the dashed line are ' + rowName(section, base) + '.' : '.'), svg);
};

const mostLines = 8;

const sweptParameter = (r) => Object.keys(r.curve[0].parameters)[0];

// Rows whose sweeps run over the same parameter, one line each.
const sweepChart = (section, rows, width) => {
  const name = sweptParameter(rows[0]), metric = data.metric_names[rows[0].curve_metric] || { percent: false };
  const parameters = (c) => Object.entries(c.parameters).map(([k, v]) => k + ' = ' + v).join(', ');
  const about = (r, c) => rowName(section, r) + '\n' + parameters(c) + '\n' + r.curve_metric + ' ' + c.score.toFixed(4);
  const picked = (r, c) => Object.entries(r.picked).every(([k, v]) => c.parameters[k] === v);
  const series = rows.slice(0, mostLines).map((r) => ({ name: rowName(section, r),
    points: r.curve.filter((c) => c.score !== null).map((c) =>
      ({ x: c.parameters[name], y: scaled(metric, c.score), picked: picked(r, c), about: about(r, c) })) }));
  const log = (xs) => Math.min(...xs) > 0 && Math.max(...xs) / Math.min(...xs) > 50;
  return lineChart('Sweep of ' + name, rows[0].curve_metric + (metric.percent ? ' in %' : '') + ' on '
    + (section.selected_on || 'the selection split') + '; rings: chosen'
    + (rows.length > mostLines ? '; the first ' + mostLines + ' rows' : '') + '.', series, width, { x: name, log });
};

// A chart a parameter: C, lambda, k ...
const sweepCharts = (section, width) => {
  const swept = section.rows.filter((r) => r.curve.length > 1 && sweptParameter(r));
  return [...new Set(swept.map(sweptParameter))].map((name) =>
    sweepChart(section, swept.filter((r) => sweptParameter(r) === name), width));
};

// Sections of one task that differ in the training images alone; x is how many there are.
const shotsChart = (section, width) => {
  const like = (o) => ['task', 'target', 'where', 'primary_metric'].every((key) => o[key] === section[key])
    && o.split.hash === section.split.hash;
  const family = data.sections.filter(like);
  if (family.length < 2 || family[0] !== section || !family.some((o) => o.shots > 0 || o.fraction < 1)) return null;
  const key = section.primary_metric, metric = metricOf(key);
  const names = [...new Set(family.flatMap((o) => o.rows.map((r) => rowName(o, r))))];
  const measured = (o, name) => o.rows.filter((r) => rowName(o, r) === name && r.status === 'ok' && r.metrics[key].value !== null);
  const point = (o, r, name) => {
    const m = r.metrics[key], interval = m.low !== null;
    return { x: o.labels, y: scaled(metric, m.value), low: interval ? scaled(metric, m.low) : undefined,
      high: interval ? scaled(metric, m.high) : undefined,
      about: [name, o.labels + ' training images' + (o.shots ? ', ' + o.shots + ' a class' : ''),
        metric.title + ' ' + show(metric, o, m.value), interval ? intervalText(metric, o, m) : null]
        .filter(Boolean).join('\n') };
  };
  const series = names.slice(0, mostLines).map((name) =>
    ({ name, points: family.flatMap((o) => measured(o, name).map((r) => point(o, r, name))) }));
  return lineChart('Label efficiency', metric.title + (metric.percent ? ' in %' : '') + ' by training images, with '
    + levelText() + ' intervals' + (names.length > mostLines ? '; the first ' + mostLines + ' rows' : '') + '.',
    series, width, { x: 'training images', log: (xs) => Math.min(...xs) > 0 });
};

// Where the time went. Stages of an extraction are thread-seconds and add up; its elapsed time ("wall") is said beside.
const stagesInOrder = ['read', 'decode', 'transform', 'forward', 'fit'];
const stageRank = (stage) => (stagesInOrder.includes(stage) ? stagesInOrder.indexOf(stage) : stagesInOrder.length);
const stagesOf = (r) => Object.entries(r.seconds).filter(([key]) => key !== 'features/wall' && key !== 'wall')
  .map(([key, s]) => [key.replace('features/', ''), s]).sort((a, b) => stageRank(a[0]) - stageRank(b[0]));

// Stages that touch differ in height too.
const stageHeight = (i) => 15 - 5 * (i % 2);
const stageTop = (i, y) => y + (15 - stageHeight(i)) / 2;

const costChart = (section, width) => {
  const rows = section.rows.filter((r) => stagesOf(r).length);
  if (!rows.length) return null;
  const stages = [...new Set(rows.flatMap((r) => stagesOf(r).map(([stage]) => stage)))]
    .sort((a, b) => stageRank(a) - stageRank(b));
  const wall = (r) => r.seconds['features/wall'], rate = (r) => (wall(r) && r.images ? r.images / wall(r) : null);
  const total = (r) => d3.sum(stagesOf(r), ([, s]) => s);
  // A run that found features in its cache did less for them than one that found none: the two are not compared unsaid.
  const all = section.split.train + section.split.val + section.split.test + section.split.unused;
  const cached = (r) => (r.images === 0 ? ', features cached' : r.images < all ? ', ' + r.images + ' of ' + all + ' images computed' : '');
  const sum = (r) => seconds(total(r)) + (rate(r) ? ', ' + rate(r).toFixed(rate(r) < 10 ? 1 : 0) + ' images/s' : '') + cached(r);
  const left = nameRoom(width), right = d3.max(rows, (r) => textWidth(sum(r))) + 10, step = 24;
  const x = d3.scaleLinear().domain([0, d3.max(rows, total) || 1]).range([0, width - left - right]);
  const svg = drawing(width, rows.length * step + 4, 'seconds a stage');
  rows.forEach((r, i) => {
    const y = i * step + 4;
    let at = left;
    put(svg, left - 8, y + 12, clip(rowName(section, r), left - 12), 'end', 'ink');
    for (const [stage, s] of stagesOf(r)) {
      if (s > 0)
        mark(svg, rowName(section, r) + '\n' + stage + ': ' + seconds(s) + (stage === 'fit' ? '' : ', all threads together')
          + (wall(r) ? '\nfeatures of ' + r.images + ' images took ' + seconds(wall(r)) : ''))
          .append('rect').attr('x', at).attr('y', stageTop(stages.indexOf(stage), y)).attr('width', Math.max(0.5, x(s) - 1))
          .attr('height', stageHeight(stages.indexOf(stage))).attr('fill', colour(stages.indexOf(stage)));
      at += x(s);
    }
    put(svg, at + 6, y + 12, sum(r), 'start', 'ink');
  });
  legend(svg, stages, 4, rows.length * step + 10, width, (parent, i, x, y) =>
    parent.append('rect').attr('x', x - 6).attr('y', stageTop(i, y - 7)).attr('width', 14).attr('height', stageHeight(i)).attr('fill', colour(i)));
  return figure('Cost', 'Seconds a stage, all threads together, of the first seed'
    + (rows.some(rate) ? '; images a second of elapsed time' : '')
    + (rows.some((r) => cached(r)) ? '. Of features from the cache only what this run still did is shown: not their cost.' : '.'), svg);
};
