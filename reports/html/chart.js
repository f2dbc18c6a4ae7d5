// What the charts are made of. D3 gives scales, axes, shapes and selections; colours are the style's, so that a chart
// follows light and dark. Every mark tells its numbers to the pointer and to the keyboard (tip.js).
const colour = (i) => 'var(--s' + (i % 8) + ')';

// Shapes tell apart what colours alone would not.
const shape = (i, size) => d3.symbol().type(d3.symbols[i % d3.symbols.length]).size(size)();
const shapeAt = (parent, i, x, y, size) => parent.append('path').attr('d', shape(i, size)).attr('transform', `translate(${x},${y})`);

// An empty drawing of `width` x `height` pixels; it shrinks with its figure and never grows.
const drawing = (width, height, label) => d3.create('svg:svg')
  .attr('viewBox', `0 0 ${width} ${height}`).style('max-width', width + 'px')
  .attr('role', 'group').attr('aria-label', label);

const mark = (parent, about) => parent.append('g')
  .attr('class', 'mark').attr('data-tip', about).attr('role', 'img').attr('aria-label', about).attr('tabindex', -1);

// The drawing below its title and a sentence on how to read it.
const figure = (title, about, svg) => {
  svg.select('.mark').attr('tabindex', 0);
  return html('figure', null, html('h3', null, title), about ? html('p', { class: 'muted small' }, about) : null,
    svg.node(), saveButton(title, svg.node()));
};

const put = (parent, x, y, content, anchor, kind) => parent.append('text')
  .attr('x', x).attr('y', y).attr('text-anchor', anchor || 'start').attr('class', kind || null).text(content);

const pen = document.createElement('canvas').getContext('2d');
pen.font = '12px system-ui, sans-serif';
const textWidth = (content) => pen.measureText(content).width;
// A name too long loses its middle: variants of one thing differ at their ends.
const clip = (content, width) => {
  if (textWidth(content) <= width) return content;
  const letters = [...content];
  for (let kept = letters.length - 1; kept > 1; --kept) {
    const cut = letters.slice(0, Math.ceil(kept / 2)).join('') + '\u2026' + letters.slice(letters.length - Math.floor(kept / 2)).join('');
    if (textWidth(cut) <= width) return cut;
  }
  return letters[0] + '\u2026';
};

// Names with their marks below a drawing, in as many lines as they need; the drawing grows by them.
const legend = (svg, names, left, top, width, drawMark) => {
  let x = left, y = top + 12;
  names.forEach((name, i) => {
    const text = clip(name, width - left - 24), room = textWidth(text) + 34;
    if (x > left && x + room > width) [x, y] = [left, y + 18];
    drawMark(svg, i, x + 7, y - 4);
    put(svg, x + 18, y, text, 'start', 'ink');
    x += room;
  });
  svg.attr('viewBox', `0 0 ${width} ${y + 8}`);
};

// Values below the drawing, with lines up to `top`.
const axisBelow = (svg, scale, top, bottom, ticks) => svg.append('g')
  .attr('class', 'axis').attr('transform', `translate(0,${bottom})`)
  .call(ticks(d3.axisBottom(scale)).tickFormat(plain).tickSizeOuter(0).tickSizeInner(top - bottom).tickPadding(8));

// Values left of the drawing, with lines to `right`.
const axisLeft = (svg, scale, left, right, ticks) => svg.append('g')
  .attr('class', 'axis').attr('transform', `translate(${left},0)`)
  .call(ticks(d3.axisLeft(scale)).tickFormat(plain).tickSizeOuter(0).tickSizeInner(left - right).tickPadding(6));

// Powers of ten, or the values themselves where there are few and they leave room for their numbers.
const logTicks = (scale, values, width) => {
  const distinct = [...new Set(values)].sort(d3.ascending), room = 30;
  if (distinct.length < 9 && distinct.every((v, i) => i === 0 || scale(v) - scale(distinct[i - 1]) > room))
    return distinct;
  const [low, high] = scale.domain().map(Math.log10);
  return d3.ticks(low, high, width < 420 ? 4 : 7).filter(Number.isInteger).map((e) => 10 ** e);
};

// Names below the drawing instead of the numbers 0, 1, 2 ...: aslant where they are wider than their places.
const nameTicks = (svg, scale, names, bottom) => {
  const place = names.length > 1 ? scale(1) - scale(0) : Infinity, aslant = names.some((name) => textWidth(name) > place - 6);
  names.forEach((name, i) => {
    const label = put(svg, scale(i), bottom + 18, clip(name, aslant ? 90 : place), aslant ? 'end' : 'middle');
    if (aslant) label.attr('transform', `rotate(-40 ${scale(i)} ${bottom + 18})`);
  });
};
const roomForNames = (names, width) => {
  const widest = d3.max(names, textWidth), aslant = widest > (width - 96) / Math.max(1, names.length - 1) - 6;
  return aslant ? 0.65 * Math.min(90, widest) : 0;
};

// A line a row of `series`: [{ name, points: [{ x, y, low, high, about, picked }] }], y as it is shown. Points with
// intervals stand a little beside one another, so that none hides another's; with options.bands, intervals are bands
// instead. options.names: of the points' places, in place of numbers.
const lineChart = (title, about, series, width, options) => {
  const all = series.flatMap((s) => s.points);
  if (!all.length) return null;
  const below = options.names ? roomForNames(options.names, width) : 0;
  const height = 226 + below, left = 44, right = 14, top = 8, bottom = height - 40 - below;
  const xs = all.map((p) => p.x), ys = all.flatMap((p) => [p.y, p.low, p.high]).filter((v) => v !== undefined);
  const log = options.log(xs), [low, high] = d3.extent(ys), margin = (high - low || 10) * 0.08;
  const [first, last] = d3.extent(xs),
    ends = first < last ? [first, last] : log ? [first / 2, first * 2] : [first - 1, first + 1];
  const x = (log ? d3.scaleLog() : d3.scaleLinear()).domain(ends).range([left + 16, width - right - 16]);
  const y = d3.scaleLinear().domain([low - margin, high + margin]).nice(4).range([bottom, top]);
  const svg = drawing(width, height, title);
  axisLeft(svg, y, left, width - right, (axis) => axis.ticks(4));
  if (options.names) nameTicks(svg, x, options.names, bottom);
  else axisBelow(svg, x, bottom, bottom, (axis) => (log ? axis.tickValues(logTicks(x, xs, width)) : axis.ticks(5)));
  put(svg, (left + width - right) / 2, height - 4, options.x, 'middle');
  const beside = !options.bands && all.some((p) => p.low !== undefined) ? 4 : 0;
  series.forEach((s, i) => {
    const at = (p) => x(p.x) + (i - (series.length - 1) / 2) * beside;
    const points = s.points.slice().sort((a, b) => a.x - b.x);
    if (options.bands)
      svg.append('path').attr('fill', colour(i)).attr('opacity', 0.14)
        .attr('d', d3.area().defined((p) => p.low !== undefined).x(at).y0((p) => y(p.low)).y1((p) => y(p.high))(points));
    svg.append('path').attr('class', 'line').attr('stroke', colour(i))
      .attr('d', d3.line().x(at).y((p) => y(p.y))(points));
    for (const p of points) {
      const group = mark(svg, p.about);
      if (p.low !== undefined && !options.bands)
        group.append('line').attr('x1', at(p)).attr('x2', at(p)).attr('y1', y(p.low)).attr('y2', y(p.high))
          .attr('stroke', colour(i)).attr('stroke-width', 1.5).attr('opacity', 0.6);
      group.append('circle').attr('cx', at(p)).attr('cy', y(p.y)).attr('r', 9).attr('fill', 'transparent');
      if (p.picked)
        group.append('circle').attr('cx', at(p)).attr('cy', y(p.y)).attr('r', 8).attr('fill', 'var(--card)')
          .attr('stroke', colour(i)).attr('stroke-width', 1.5);
      shapeAt(group, i, at(p), y(p.y), 44).attr('fill', colour(i));
    }
  });
  if (series.length > 1)
    legend(svg, series.map((s) => s.name), left, height + 6, width,
      (parent, i, x, y) => shapeAt(parent, i, x, y, 56).attr('fill', colour(i)));
  return figure(title, about, svg);
};
