// Charts of one row: its confusions, how far its confidence can be trusted, and where annotators agree.
const confusionChart = (section, row, width) => {
  const k = section.class_names.length;
  if (!k || row.confusion.length !== k * k) return null;
  return k > 40 ? confusionList(section, row) : confusionMatrix(section, row, width);
};

const shade = (share) => 0.06 + 0.84 * share;
// Black or white, whichever is read better on a cell of that opacity: one of them always has a contrast of 4.5.
const inkOnHeat = (opacity) => {
  const style = getComputedStyle(document.documentElement), of = (name) => style.getPropertyValue(name).trim();
  const card = d3.rgb(of('--card')), heat = of('--heat').split(',').map(Number);
  const light = [card.r, card.g, card.b].map((ground, i) => ground + (heat[i] - ground) * opacity)
    .map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * light[0] + 0.7152 * light[1] + 0.0722 * light[2] > 0.179 ? 'on-light' : 'on-dark';
};

const confusionMatrix = (section, row, width) => {
  const names = section.class_names, k = names.length, left = Math.min(110, width * 0.3), top = 22;
  const size = Math.min(54, (Math.min(width, 460) - left - 4) / k), bottom = size > 44 ? 22 : 60;
  const at = d3.scaleBand().domain(d3.range(k)).range([0, k * size]);
  const svg = drawing(width, top + k * size + bottom, 'confusion matrix of ' + rowName(section, row));
  put(svg, left, 12, 'predicted \u2192, true \u2193');
  for (let i = 0; i < k; ++i) {
    const counts = row.confusion.slice(i * k, i * k + k), total = d3.sum(counts), y = top + at(i);
    put(svg, left - 6, y + size / 2 + 4, clip(names[i], left - 16), 'end', 'ink');
    counts.forEach((count, j) => {
      const share = total ? count / total : 0, x = left + at(j);
      const cell = mark(svg, 'true: ' + names[i] + '\npredicted: ' + names[j] + '\n' + count + ' of ' + total + ' (' + percents(share) + ' %)');
      cell.append('rect').attr('x', x).attr('y', y).attr('width', size - 2).attr('height', size - 2)
        .attr('rx', 2).attr('fill', `rgba(var(--heat), ${shade(share)})`);
      if (size >= 24)
        put(cell, x + size / 2 - 1, y + size / 2 + 4, String(count), 'middle', inkOnHeat(shade(share)))
          .attr('data-shade', shade(share));
    });
    const x = left + at(i) + size / 2, below = top + k * size + 12;
    const label = put(svg, x, below, clip(names[i], size > 44 ? size : 62), size > 44 ? 'middle' : 'end', 'ink');
    if (size <= 44) label.attr('transform', `rotate(-45 ${x} ${below})`);
  }
  return figure('Confusion matrix',
    'Test images; shade: share of the true class' + (row.seeds > 1 ? '; all seeds together' : '') + '.', svg);
};

// Of many classes the pairs that are most often taken for each other.
const confusionList = (section, row) => {
  const names = section.class_names, k = names.length;
  const pairs = row.confusion.map((count, i) => ({ count, truth: Math.floor(i / k), predicted: i % k }))
    .filter((p) => p.count > 0 && p.truth !== p.predicted).sort((a, b) => b.count - a.count).slice(0, 12);
  const cells = pairs.map((p) => html('tr', null, html('th', { scope: 'row' }, names[p.truth]), html('td', null, names[p.predicted]),
    html('td', { class: 'number' }, String(p.count))));
  const head = ['true', 'predicted', 'images'].map((word, i) =>
    html('th', { scope: 'col', class: i === 2 ? 'number' : null }, word));
  return html('figure', null, html('h3', null, 'Most frequent confusions'),
    html('p', { class: 'muted small' }, 'Of ' + k + ' classes' + (row.seeds > 1 ? '; all seeds together' : '') + '.'),
    scrolling('Most frequent confusions', html('table', null,
      html('caption', { class: 'unseen' }, 'Most frequent confusions of ' + rowName(section, row)), html('thead', null, html('tr', null, ...head)), html('tbody', null, ...cells))));
};

const reliabilityChart = (section, row, width) => {
  const bins = row.reliability, total = d3.sum(bins, (b) => b[0]);
  if (!total) return null;
  const size = Math.min(width - 50, 250), left = 44, top = 8, bottom = top + size;
  const x = d3.scaleLinear().domain([0, 100]).range([left, left + size]);
  const y = d3.scaleLinear().domain([0, 100]).range([bottom, top]);
  const svg = drawing(width, bottom + 40, 'reliability of ' + rowName(section, row));
  const quarters = (axis) => axis.tickValues([0, 25, 50, 75, 100]);
  axisLeft(svg, y, left, left + size, quarters);
  axisBelow(svg, x, bottom, bottom, quarters);
  put(svg, x(50), bottom + 36, 'confidence in %', 'middle');
  svg.append('line').attr('class', 'reference')
    .attr('x1', x(0)).attr('y1', y(0)).attr('x2', x(100)).attr('y2', y(100));
  bins.forEach(([count, confidence, accuracy], i) => {
    if (!count) return;
    const from = x(100 * i / bins.length), to = x(100 * (i + 1) / bins.length), mean = y(100 * confidence);
    const group = mark(svg, 'confidence ' + 100 * i / bins.length + ' to ' + 100 * (i + 1) / bins.length + ' %: ' + count
      + ' predictions\nmean confidence ' + percents(confidence) + ' %, right ' + percents(accuracy) + ' %');
    group.append('rect').attr('x', from + 1).attr('width', to - from - 2).attr('y', y(100 * accuracy))
      .attr('height', Math.max(1, bottom - y(100 * accuracy))).attr('fill', 'var(--s0)')
      .attr('opacity', 0.25 + 0.75 * Math.sqrt(count / total));
    group.append('line').attr('x1', from + 1).attr('x2', to - 1).attr('y1', mean).attr('y2', mean)
      .attr('stroke', 'var(--ink)').attr('stroke-width', 1.5);
  });
  const error = d3.sum(bins, ([count, confidence, accuracy]) => (count / total) * Math.abs(confidence - accuracy));
  return figure('Reliability', 'Bars: how often predictions of a confidence are right, strokes: their mean confidence '
    + '(softmax). Expected calibration error ' + percents(error) + ' %.', svg);
};

// How often a row is right where annotators agree so much; an empty bin is left out.
const agreementChart = (section, row, width) => {
  const bins = (row.agreement || []).filter((b) => b[2] > 0);
  if (!bins.length) return null;
  const name = ([low, high]) => (low >= 1 ? 'all agree' : (low === 0 ? 'below ' : 100 * low + ' to ') + 100 * high + ' %');
  const left = 96, right = 90, step = 26, bottom = bins.length * step;
  const x = d3.scaleLinear().domain([0, 100]).range([left, width - right]);
  const svg = drawing(width, bottom + 26, 'accuracy by agreement of ' + rowName(section, row));
  axisBelow(svg, x, 0, bottom, (axis) => axis.tickValues([0, 50, 100]));
  bins.forEach((b, i) => {
    const y = i * step, accuracy = percents(b[3]);
    const group = mark(svg, name(b) + ': right on ' + accuracy + ' % of ' + b[2] + ' test images');
    put(group, left - 8, y + 16, name(b), 'end', 'ink');
    group.append('rect').attr('x', left).attr('y', y + 4).attr('width', Math.max(1, x(100 * b[3]) - left))
      .attr('height', 16).attr('fill', 'var(--s0)');
    put(group, x(100 * b[3]) + 6, y + 16, accuracy + ' (' + b[2] + ')', 'start', 'ink');
  });
  return figure('Accuracy by agreement', 'By the share of annotators\u2019 votes for the label; in brackets: test images. '
    + 'One vote agrees with the label in ' + percents(section.annotator_agreement) + ' % of cases.', svg);
};
