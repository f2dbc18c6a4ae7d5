'use strict';
// Draws the report from the JSON in #data. Names of classes and backbones only ever become text nodes or attribute values.
(() => {
  const data = JSON.parse(document.getElementById('data').textContent);
  const state = { baseline: data.baseline, sort: data.sections.map(() => null), row: data.sections.map(() => 0), maps: true };

  // ---- elements -------------------------------------------------------------------------------------------------------
  const fill = (element, attributes, children) => {
    for (const [name, value] of Object.entries(attributes || {}))
      if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
      else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value);
    for (const child of (children || []).flat())
      if (child !== null && child !== undefined) element.append(child);
    return element;
  };
  const html = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
  const svg = (tag, attributes, ...children) =>
    fill(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children);

  // ---- numbers --------------------------------------------------------------------------------------------------------
  const metricOf = (key) => data.metric_names[key];
  const places = (metric, section) => (metric.percent ? (section.split.test > 1000 ? 2 : 1) : 3);
  const scaled = (metric, value) => (metric.percent ? 100 * value : value);
  // Exact ties go to the even digit, as the program's other tables print them; toFixed alone would round them up.
  const fixed = (value, digits) => {
    const up = value.toFixed(digits), rest = value.toFixed(digits + 60).slice(-60);
    if (!/^50*$/.test(rest) || Number(up.slice(-1)) % 2 === 0) return up;
    return (Number(up) - Math.sign(value) * 10 ** -digits).toFixed(digits);
  };
  const show = (metric, section, value) => (value === null ? '-' : fixed(scaled(metric, value), places(metric, section)));
  const signed = (metric, section, value) => {
    const text = fixed(scaled(metric, value), places(metric, section));
    if (Number(text) === 0) return text.replace('-', '');
    return value > 0 ? '+' + text : text;
  };
  const pText = (p) => (p < 0.001 ? '< 0.001' : p.toFixed(3));
  const seconds = (s) => (s >= 100 ? s.toFixed(0) + ' s' : s >= 1 ? s.toFixed(1) + ' s' : (1000 * s).toFixed(0) + ' ms');
  const plain = (value) => (Math.abs(value) >= 1e5 || (value !== 0 && Math.abs(value) < 1e-3) ? value.toExponential(0) : String(+value.toPrecision(4)));
  const rowName = (section, row) => {
    const several = new Set(section.rows.map((r) => r.probe)).size > 1;
    return several ? row.label + ' / ' + row.probe : row.label;
  };
  const notes = (numbers) => numbers.map((n) => html('sup', null, html('a', { href: '#note-' + n }, '[' + n + ']')));

  // ---- tooltips: one box, text of the element under the pointer or in focus ---------------------------------------------
  const tip = html('div', { id: 'tip', role: 'tooltip', hidden: '' });
  const place = (x, y) => {
    const box = tip.getBoundingClientRect();
    tip.style.left = Math.max(4, Math.min(x + 14, innerWidth - box.width - 4)) + 'px';
    tip.style.top = (y + 18 + box.height > innerHeight ? Math.max(4, y - box.height - 10) : y + 18) + 'px';
  };
  const showTip = (target, x, y) => {
    const owner = target && target.closest ? target.closest('[data-tip]') : null;
    tip.hidden = !owner;
    if (!owner) return;
    tip.textContent = owner.getAttribute('data-tip');
    place(x, y);
  };
  document.addEventListener('pointermove', (e) => showTip(e.target, e.clientX, e.clientY));
  document.addEventListener('pointerdown', (e) => showTip(e.target, e.clientX, e.clientY));
  document.addEventListener('focusin', (e) => {
    const box = e.target.getBoundingClientRect();
    showTip(e.target, box.left, box.bottom - 12);
  });
  document.addEventListener('keydown', (e) => { if (e.key === 'Escape') tip.hidden = true; });

  // ---- the table --------------------------------------------------------------------------------------------------------
  // '': each task's own.
  const baselineOf = (section) => state.baseline || section.baseline;
  const differenceOf = (section, index) => (section.differences[baselineOf(section)] || [])[index] || null;
  const isBaseline = (section, row) => row.backbone === baselineOf(section);

  const differenceTip = (section, d) => {
    const metric = metricOf(section.primary_metric), other = section.rows[d.compared_with];
    const lines = ['against ' + rowName(section, other) + ': ' + signed(metric, section, d.value) + (metric.percent ? ' points' : '')];
    if (d.low !== null) lines.push(100 * data.level + ' % interval ' + signed(metric, section, d.low) + ' to ' + signed(metric, section, d.high));
    if (d.p !== null) lines.push(d.test + ': p = ' + pText(d.p) + ', after Holm ' + pText(d.p_holm));
    if (d.p !== null) lines.push('only this one right: ' + d.only_row + ', only the other: ' + d.only_baseline);
    if (d.detectable !== null) lines.push('smallest difference these images would show (power 80 %): ' + (100 * d.detectable).toFixed(1) + ' points');
    d.per_class.forEach((v, k) => { if (v !== null) lines.push('recall of ' + section.class_names[k] + ': ' + (v > 0 ? '+' : '') + (100 * v).toFixed(1)); });
    return lines.join('\n');
  };

  const metricCell = (section, key, row) => {
    const metric = metricOf(key), m = row.metrics[key];
    const cell = html('td', { class: 'number', 'data-metric': key }, html('span', { class: 'value' }, show(metric, section, m.value)));
    if (m.std !== null) cell.append(html('span', { class: 'interval' }, '\u00b1 ' + show(metric, section, m.std)));
    if (m.low !== null) cell.append(html('span', { class: 'interval' }, '[' + show(metric, section, m.low) + ', ' + show(metric, section, m.high) + ']'));
    return cell;
  };

  const differenceCell = (section, row, index) => {
    if (isBaseline(section, row)) return html('td', { class: 'number muted difference' }, 'baseline');
    const d = differenceOf(section, index), metric = metricOf(section.primary_metric);
    if (!d) return html('td', { class: 'number difference' });
    const better = metric.higher_is_better === d.value > 0;
    const strength = d.p_holm === null ? '' : d.survives ? 'survives ' + (better ? 'up' : 'down') : 'ns';
    const cell = html('td', { class: 'number difference', 'data-tip': differenceTip(section, d), tabindex: 0 },
      html('span', { class: strength }, signed(metric, section, d.value) + (strength === 'ns' ? ' ns' : '')));
    if (d.low !== null) cell.append(html('span', { class: 'interval' }, '[' + signed(metric, section, d.low) + ', ' + signed(metric, section, d.high) + ']'));
    return cell;
  };

  const publishedCell = (row) => html('td', { class: 'number' },
    row.published.map((p, i) => [(i ? '; ' : '') + p.value + (p.std === null ? '' : ' \u00b1 ' + p.std), notes([p.note])]).flat(2));

  // Each column: its title, the value it sorts by, and its cell.
  const columns = (section) => {
    const any = (test) => section.rows.some(test), list = [];
    list.push({ title: 'backbone', sort: (r) => r.label, cell: (r) => html('td', { class: 'name' }, r.label, ...notes(r.notes)) });
    list.push({ title: 'probe', sort: (r) => r.probe, cell: (r) => html('td', null, r.probe) });
    if (any((r) => r.provenance.length > 1)) list.push({ title: 'seeds', number: true, sort: (r) => r.seeds, cell: (r) => html('td', { class: 'number' }, String(r.seeds)) });
    for (const key of section.shown) {
      const primary = key === section.primary_metric;
      list.push({ title: metricOf(key).short, number: true, sort: (r) => r.metrics[key].value,
        cell: (r) => (r.status === 'failed' ? html('td', { class: 'number failed' }, primary ? 'failed' : '') : metricCell(section, key, r)) });
      if (!primary) continue;
      list.push({ title: 'vs ' + baselineOf(section), number: true, sort: (r, i) => (differenceOf(section, i) || { value: null }).value, cell: (r, i) => differenceCell(section, r, i) });
      if (data.resamples > 0) list.push({ title: 'p (Holm)', number: true, sort: (r, i) => (differenceOf(section, i) || { p_holm: null }).p_holm,
        cell: (r, i) => { const d = differenceOf(section, i); return html('td', { class: 'number' + (d && !d.survives ? ' ns' : '') }, d && d.p_holm !== null ? pText(d.p_holm) : ''); } });
    }
    if (any((r) => r.published.length)) list.push({ title: 'published', number: true, sort: (r) => (r.published[0] || { value: null }).value, cell: publishedCell });
    if (any((r) => r.chosen)) list.push({ title: section.selected_on ? 'chosen on ' + section.selected_on : 'chosen', sort: (r) => r.chosen,
      cell: (r) => html('td', { 'data-tip': r.on_edge ? 'the chosen value is on the edge of its grid' : null }, r.chosen + (r.on_edge ? ' (edge)' : '')) });
    return list;
  };

  // Missing values stay last whichever way the others go.
  const order = (section, list, sort) => {
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

  const table = (section, s) => {
    const list = columns(section), sort = state.sort[s];
    const head = list.map((column, c) => {
      const sorted = sort && sort.column === c;
      const click = () => {
        state.sort[s] = { column: c, descending: sorted ? !sort.descending : !!column.number };
        redraw(s);
        document.querySelectorAll('#section-' + s + ' thead button')[c].focus();
      };
      return html('th', { scope: 'col', class: column.number ? 'number' : null, 'aria-sort': sorted ? (sort.descending ? 'descending' : 'ascending') : 'none' },
        html('button', { type: 'button', onclick: click }, column.title));
    });
    const body = order(section, list, sort).map(({ row, index }) =>
      html('tr', { class: isBaseline(section, row) ? 'baseline' : null, 'data-row': index }, ...list.map((column) => column.cell(row, index))));
    return html('div', { class: 'scroll' }, html('table', { class: 'results' }, html('thead', null, html('tr', null, ...head)), html('tbody', null, ...body)));
  };

  // ---- charts: plain SVG, drawn for the width they get -------------------------------------------------------------------
  const ticks = (low, high, wanted) => {
    const raw = (high - low) / wanted, power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 5, 10].find((m) => m * power >= raw) * power, list = [];
    for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; ++i) list.push(i * step);
    return list;
  };
  const text = (x, y, content, attributes) => svg('text', { x, y, ...attributes }, content);
  const measure = document.createElement('canvas').getContext('2d');
  measure.font = '12px system-ui, sans-serif';
  const textWidth = (content) => measure.measureText(content).width;
  const clip = (content, width) => {
    let cut = content;
    while (cut.length > 1 && textWidth(cut) > width) cut = cut.slice(0, -1);
    return cut === content ? content : cut.slice(0, -1) + '\u2026';
  };
  const figure = (title, about, ...parts) => html('figure', null, html('h3', null, title), about ? html('p', { class: 'muted small' }, about) : null, ...parts);
  const color = (i) => 'var(--s' + (i % 8) + ')';
  const legend = (names) => html('div', { class: 'legend' }, ...names.map((n, i) => html('span', null, html('i', { style: 'background:' + color(i) }), n)));

  // The primary metric a row, with its interval, and the baseline as a line.
  const barChart = (section, width) => {
    const metric = metricOf(section.primary_metric), rows = section.rows.filter((r) => r.status === 'ok' && r.metrics[section.primary_metric].value !== null);
    if (!rows.length) return null;
    const of = (r) => r.metrics[section.primary_metric], value = (v) => scaled(metric, v);
    const ends = rows.flatMap((r) => [of(r).value, of(r).low, of(r).high]).filter((v) => v !== null).map(value);
    const low = metric.percent ? Math.max(0, Math.min(...ends) - 5) : Math.min(...ends) - 0.1 * (Math.max(...ends) - Math.min(...ends) || 1);
    const high = metric.percent ? Math.min(100, Math.max(...ends) + 5) : Math.max(...ends) + 0.1 * (Math.max(...ends) - Math.min(...ends) || 1);
    const left = Math.min(170, width * 0.36), right = 46, line = 26, height = rows.length * line + 26;
    const x = (v) => left + ((v - low) / (high - low)) * (width - left - right);
    const root = svg('svg', { viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': metric.title + ' of every row with its interval' });
    for (const t of ticks(low, high, width < 420 ? 3 : 5)) root.append(svg('line', { class: 'grid', x1: x(t), x2: x(t), y1: 0, y2: height - 24 }), text(x(t), height - 8, plain(t), { 'text-anchor': 'middle' }));
    const base = rows.find((r) => isBaseline(section, r));
    if (base) root.append(svg('line', { class: 'reference', x1: x(value(of(base).value)), x2: x(value(of(base).value)), y1: 0, y2: height - 24 }));
    rows.forEach((r, i) => {
      const m = of(r), y = i * line + line / 2, fillColor = isBaseline(section, r) ? 'var(--s7)' : 'var(--s0)';
      const about = [rowName(section, r), metric.title + ' ' + show(metric, section, m.value)];
      if (m.low !== null) about.push(100 * data.level + ' % interval ' + show(metric, section, m.low) + ' to ' + show(metric, section, m.high));
      if (m.std !== null) about.push('over ' + r.seeds + ' seeds \u00b1 ' + show(metric, section, m.std));
      const group = svg('g', { 'data-tip': about.join('\n'), tabindex: 0, class: 'mark' }, svg('rect', { x: 0, y: y - line / 2, width, height: line, fill: 'transparent' }),
        text(left - 8, y + 4, clip(rowName(section, r), left - 12), { 'text-anchor': 'end', class: 'ink' }));
      if (m.low !== null) group.append(svg('line', { x1: x(value(m.low)), x2: x(value(m.high)), y1: y, y2: y, stroke: fillColor, 'stroke-width': 2 }),
        ...[m.low, m.high].map((v) => svg('line', { x1: x(value(v)), x2: x(value(v)), y1: y - 4, y2: y + 4, stroke: fillColor, 'stroke-width': 2 })));
      group.append(svg('circle', { cx: x(value(m.value)), cy: y, r: 5, fill: fillColor, stroke: 'var(--card)', 'stroke-width': 1.5 }), text(width - right + 8, y + 4, show(metric, section, m.value), { class: 'ink' }));
      root.append(group);
    });
    return figure(metric.title + ' on test', 'Dots are values' + (rows.some((r) => of(r).low !== null) ? ', lines ' + 100 * data.level + ' % intervals over test images' : '') + (base ? '; the dashed line is ' + rowName(section, base) + '.' : '.'), root);
  };

  // Lines over x; series: [{name, points: [{x, y, tip, picked}]}].
  const lineChart = (title, about, series, width, options) => {
    const all = series.flatMap((s) => s.points);
    if (!all.length) return null;
    const xs = all.map((p) => p.x), log = Math.min(...xs) > 0 && Math.max(...xs) / Math.min(...xs) > 50, t = (v) => (log ? Math.log10(v) : v);
    let [x0, x1] = [Math.min(...xs.map(t)), Math.max(...xs.map(t))], [y0, y1] = [Math.min(...all.map((p) => p.y)), Math.max(...all.map((p) => p.y))];
    if (x0 === x1) { x0 -= 1; x1 += 1; }
    const margin = (y1 - y0 || 0.1) * 0.08;
    y0 -= margin; y1 += margin;
    const height = 220, left = 44, right = 12, bottom = 34;
    const x = (v) => left + ((t(v) - x0) / (x1 - x0)) * (width - left - right), y = (v) => 8 + ((y1 - v) / (y1 - y0)) * (height - bottom - 8);
    const root = svg('svg', { viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': title });
    for (const v of ticks(y0, y1, 4)) root.append(svg('line', { class: 'grid', x1: left, x2: width - right, y1: y(v), y2: y(v) }), text(left - 6, y(v) + 4, options.percent ? plain(+(100 * v).toFixed(6)) : plain(v), { 'text-anchor': 'end' }));
    for (const v of log ? ticks(x0, x1, width < 420 ? 4 : 7).filter((e) => Number.isInteger(e)) : ticks(x0, x1, 5)) root.append(text(x(log ? 10 ** v : v), height - 18, log ? '1e' + v : plain(v), { 'text-anchor': 'middle' }));
    root.append(text((left + width - right) / 2, height - 2, options.x, { 'text-anchor': 'middle' }));
    series.forEach((s, i) => {
      const points = s.points.slice().sort((a, b) => a.x - b.x);
      root.append(svg('path', { d: points.map((p, k) => (k ? 'L' : 'M') + x(p.x).toFixed(1) + ' ' + y(p.y).toFixed(1)).join(''), fill: 'none', stroke: color(i), 'stroke-width': 2, 'stroke-linejoin': 'round' }));
      for (const p of points) root.append(svg('g', { 'data-tip': p.tip, class: 'mark' }, svg('circle', { cx: x(p.x), cy: y(p.y), r: 9, fill: 'transparent' }),
        svg('circle', { cx: x(p.x), cy: y(p.y), r: p.picked ? 5 : 2.5, fill: p.picked ? 'var(--card)' : color(i), stroke: color(i), 'stroke-width': 2 })));
    });
    return figure(title, about, root, series.length > 1 ? legend(series.map((s) => s.name)) : null);
  };

  const sweepChart = (section, width) => {
    const rows = section.rows.filter((r) => r.curve.length > 1);
    if (!rows.length) return null;
    const name = Object.keys(rows[0].curve[0].parameters)[0];
    if (!name) return null;
    const series = rows.slice(0, 8).filter((r) => name in r.curve[0].parameters).map((r) => ({
      name: rowName(section, r),
      points: r.curve.filter((c) => c.score !== null).map((c) => ({ x: c.parameters[name], y: c.score, picked: Object.entries(r.picked).every(([k, v]) => c.parameters[k] === v),
        tip: rowName(section, r) + '\n' + Object.entries(c.parameters).map(([k, v]) => k + ' = ' + v).join(', ') + '\n' + r.curve_metric + ' ' + c.score.toFixed(4) })) }));
    const percent = (metricOf(rows[0].curve_metric) || { percent: false }).percent;
    return lineChart('Sweep of ' + name, rows[0].curve_metric + (percent ? ' in %' : '') + ' on ' + (section.selected_on || 'the selection split') + '; rings: chosen' + (rows.length > 8 ? '; the first 8 rows' : '') + '.', series, width, { x: name, percent });
  };

  // Sections of one task that differ in the training images alone; x is how many there are.
  const shotsChart = (section, width) => {
    const like = (o) => ['task', 'target', 'where', 'primary_metric'].every((key) => o[key] === section[key]) && o.split.hash === section.split.hash;
    const family = data.sections.filter(like), sampled = family.filter((o) => o.shots > 0 || o.fraction < 1);
    if (family.length < 2 || !sampled.length || family[0] !== section) return null;
    const metric = metricOf(section.primary_metric), names = [...new Set(family.flatMap((o) => o.rows.map((r) => rowName(o, r))))].slice(0, 8);
    const series = names.map((name) => ({ name, points: family.flatMap((o) => o.rows.filter((r) => rowName(o, r) === name && r.status === 'ok' && r.metrics[o.primary_metric].value !== null)
      .map((r) => ({ x: o.split.train, y: r.metrics[o.primary_metric].value, tip: name + '\n' + o.split.train + ' training images' + (o.shots ? ', ' + o.shots + ' a class' : '') + '\n' + metric.title + ' ' + show(metric, o, r.metrics[o.primary_metric].value) }))) }));
    return lineChart('Label efficiency', metric.title + (metric.percent ? ' in %' : '') + ' by training images.', series, width, { x: 'training images', percent: metric.percent });
  };

  const confusionChart = (section, row, width) => {
    const k = section.class_names.length;
    if (row.confusion.length !== k * k || k > 40) return null;
    const left = Math.min(110, width * 0.3), size = Math.min(54, (Math.min(width, 460) - left - 4) / k), top = 22, bottom = size > 44 ? 22 : 60;
    const root = svg('svg', { viewBox: `0 0 ${width} ${top + k * size + bottom}`, role: 'img', 'aria-label': 'confusion matrix of ' + rowName(section, row) });
    root.append(text(left, 12, 'predicted \u2192, true \u2193', {}));
    for (let i = 0; i < k; ++i) {
      const total = row.confusion.slice(i * k, i * k + k).reduce((a, b) => a + b, 0);
      root.append(text(left - 6, top + i * size + size / 2 + 4, clip(section.class_names[i], left - 16), { 'text-anchor': 'end', class: 'ink' }));
      for (let j = 0; j < k; ++j) {
        const count = row.confusion[i * k + j], share = total ? count / total : 0;
        const cell = svg('g', { class: 'mark', 'data-tip': 'true: ' + section.class_names[i] + '\npredicted: ' + section.class_names[j] + '\n' + count + ' of ' + total + ' (' + (100 * share).toFixed(1) + ' %)' },
          svg('rect', { x: left + j * size, y: top + i * size, width: size - 2, height: size - 2, rx: 2, fill: `rgba(var(--heat), ${0.06 + 0.84 * share})` }));
        if (size >= 24) cell.append(text(left + j * size + size / 2 - 1, top + i * size + size / 2 + 4, String(count), { 'text-anchor': 'middle', style: 'fill:' + (share > 0.5 ? 'var(--card)' : 'var(--ink)') }));
        root.append(cell);
      }
      const cx = left + i * size + size / 2, cy = top + k * size + 12;
      root.append(text(cx, cy, clip(section.class_names[i], size > 44 ? size : 62), size > 44 ? { 'text-anchor': 'middle', class: 'ink' } : { 'text-anchor': 'end', class: 'ink', transform: `rotate(-45 ${cx} ${cy})` }));
    }
    return figure('Confusion matrix', 'Test images; shade: share of the true class' + (row.seeds > 1 ? '; all seeds together' : '') + '.', root);
  };

  const reliabilityChart = (section, row, width) => {
    const bins = row.reliability, total = bins.reduce((sum, b) => sum + b[0], 0);
    if (!total) return null;
    const size = Math.min(width - 50, 250), left = 44, top = 8, height = size + 46;
    const x = (v) => left + v * size, y = (v) => top + (1 - v) * size;
    const root = svg('svg', { viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': 'reliability of ' + rowName(section, row) });
    for (const v of [0, 0.25, 0.5, 0.75, 1]) root.append(svg('line', { class: 'grid', x1: left, x2: x(1), y1: y(v), y2: y(v) }), text(left - 6, y(v) + 4, String(100 * v), { 'text-anchor': 'end' }), text(x(v), top + size + 16, String(100 * v), { 'text-anchor': 'middle' }));
    root.append(svg('line', { class: 'reference', x1: x(0), y1: y(0), x2: x(1), y2: y(1) }), text(x(0.5), height - 4, 'confidence in %', { 'text-anchor': 'middle' }));
    bins.forEach((b, i) => {
      if (!b[0]) return;
      root.append(svg('g', { class: 'mark', 'data-tip': 'confidence ' + 10 * i + ' to ' + 10 * (i + 1) + ' %: ' + b[0] + ' predictions\nmean confidence ' + (100 * b[1]).toFixed(1) + ' %, right ' + (100 * b[2]).toFixed(1) + ' %' },
        svg('rect', { x: x(i / 10) + 1, y: y(b[2]), width: size / 10 - 2, height: Math.max(1, y(0) - y(b[2])), fill: 'var(--s0)', opacity: 0.25 + 0.75 * Math.sqrt(b[0] / total) }),
        svg('line', { x1: x(i / 10) + 1, x2: x((i + 1) / 10) - 1, y1: y(b[1]), y2: y(b[1]), stroke: 'var(--ink)', 'stroke-width': 1.5 })));
    });
    const error = bins.reduce((sum, b) => sum + (b[0] / total) * Math.abs(b[1] - b[2]), 0);
    return figure('Reliability', 'Bars: how often predictions of a confidence are right, strokes: their mean confidence (softmax). Expected calibration error ' + (100 * error).toFixed(1) + ' %.', root);
  };

  // How often a row is right where annotators agree so much; an empty bin is left out.
  const agreementChart = (section, row, width) => {
    const bins = (row.agreement || []).filter((b) => b[2] > 0);
    if (!bins.length) return null;
    const name = (b) => (b[0] >= 1 ? 'all agree' : (b[0] === 0 ? 'below ' : 100 * b[0] + ' to ') + 100 * b[1] + ' %');
    const left = 96, right = 90, line = 26, height = bins.length * line + 24, x = (v) => left + v * (width - left - right);
    const root = svg('svg', { viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': 'accuracy by agreement of ' + rowName(section, row) });
    for (const v of [0, 0.5, 1]) root.append(svg('line', { class: 'grid', x1: x(v), x2: x(v), y1: 0, y2: height - 22 }), text(x(v), height - 6, String(100 * v), { 'text-anchor': 'middle' }));
    bins.forEach((b, i) => {
      const y = i * line;
      root.append(svg('g', { class: 'mark', 'data-tip': name(b) + ': right on ' + (100 * b[3]).toFixed(1) + ' % of ' + b[2] + ' test images' },
        text(left - 8, y + 16, name(b), { 'text-anchor': 'end', class: 'ink' }), svg('rect', { x: x(0), y: y + 4, width: Math.max(1, x(b[3]) - x(0)), height: 16, fill: 'var(--s0)' }),
        text(x(b[3]) + 6, y + 16, (100 * b[3]).toFixed(1) + ' (' + b[2] + ')', { class: 'ink' })));
    });
    return figure('Accuracy by agreement', 'By the share of annotators\u2019 votes for the label; in brackets: test images. One vote agrees with the label in ' + (100 * section.annotator_agreement).toFixed(1) + ' % of cases.', root);
  };

  // Evidence for a class (warm) and against it (cold), one pixel a position of the network's last map; the browser smooths it.
  const overlay = (map) => {
    const canvas = html('canvas', { width: map.width, height: map.height, class: 'map', 'aria-hidden': 'true',
      style: 'inset:' + (100 * map.inset).toFixed(3) + '%;width:' + (100 - 200 * map.inset).toFixed(3) + '%;height:' + (100 - 200 * map.inset).toFixed(3) + '%' });
    const context = canvas.getContext('2d'), image = context.createImageData(map.width, map.height);
    map.values.forEach((v, i) => image.data.set([v > 0 ? 226 : 40, v > 0 ? 60 : 96, v > 0 ? 30 : 214, Math.round(1.9 * Math.abs(v))], 4 * i));
    context.putImageData(image, 0, 0);
    return canvas;
  };
  const picture = (section, id, map) => html('span', { class: 'picture' }, section.thumbnails[id] ? html('img', { src: section.thumbnails[id], alt: id, width: 96, height: 96 }) : html('span', { class: 'muted small' }, 'image not found'),
    map && section.thumbnails[id] ? overlay(map) : null);

  // What a row is most sure of, right and wrong; with maps, what it looks at beside what the baseline looks at.
  const gallery = (section, row, s) => {
    if (!row.gallery || !section.thumbnails) return null;
    const items = [...row.gallery.right, ...row.gallery.wrong], other = section.rows[row.gallery.compared_with];
    const mapped = items.some((item) => item.map), paired = items.some((item) => item.baseline_map);
    const evidence = (name, map) => (map ? '\n' + name + ': score ' + map.score.toFixed(2) + ' against the mean of the classes; strongest place ' + map.most.toFixed(2) : '');
    const tile = (right) => (item) => {
      const predicted = section.class_names[item.predicted], sure = (100 * item.confidence).toFixed(1) + ' %';
      const about = item.id + '\ntrue: ' + section.class_names[item.truth] + '\npredicted: ' + predicted + ' (' + sure + ')'
        + (mapped ? '\nevidence for ' + predicted + evidence(rowName(section, row), item.map) + (item.baseline_map ? evidence(rowName(section, other), item.baseline_map) : '') : '');
      return html('div', { class: 'tile' + (paired ? ' pair' : ''), 'data-tip': about, tabindex: 0 },
        html('div', { class: 'pictures' }, picture(section, item.id, item.map), paired ? picture(section, item.id, item.baseline_map) : null),
        html('span', { class: 'small' }, predicted + (right ? '' : ', not ' + section.class_names[item.truth])), html('span', { class: 'small muted' }, sure));
    };
    const side = (title, list, right) => [html('h3', null, title), list.length ? html('div', { class: 'tiles' }, ...list.map(tile(right))) : html('p', { class: 'muted small' }, 'none')];
    const toggle = mapped ? html('label', { class: 'toggle' }, html('input', { type: 'checkbox', checked: state.maps ? '' : null, onchange: (e) => { state.maps = e.target.checked; redrawAll(); document.querySelector('#section-' + s + ' .toggle input').focus(); } }), ' class activation maps') : null;
    const key = mapped ? html('p', { class: 'muted small' }, html('i', { class: 'warm' }), 'evidence for the predicted class, ', html('i', { class: 'cold' }), 'against it; exact for a linear probe on averaged features, each map scaled by its strongest place.' + (paired ? ' Left: ' + rowName(section, row) + ', right: ' + rowName(section, other) + '.' : '')) : null;
    return html('div', { class: 'gallery' + (state.maps ? '' : ' plain') }, toggle, key, ...side('Most confident and right', row.gallery.right, true), ...side('Most confident and wrong', row.gallery.wrong, false));
  };

  // Where the time went. Stages of an extraction are thread-seconds and add up; its elapsed time ("wall") is said beside.
  const inOrder = ['read', 'decode', 'transform', 'forward', 'fit'];
  const stageName = (key) => key.replace('features/', '');
  const rank = (stage) => (inOrder.includes(stage) ? inOrder.indexOf(stage) : inOrder.length);
  const costChart = (section, width) => {
    const isStage = (key) => stageName(key) !== 'wall', entries = (r) => Object.entries(r.seconds).filter(([key]) => isStage(key)).map(([key, s]) => [stageName(key), s]);
    const rows = section.rows.filter((r) => entries(r).length), stages = [...new Set(rows.flatMap((r) => entries(r).map(([stage]) => stage)))].sort((a, b) => rank(a) - rank(b));
    if (!rows.length) return null;
    const wall = (r) => r.seconds['features/wall'], rate = (r) => (wall(r) && r.images ? r.images / wall(r) : null);
    const total = (r) => entries(r).reduce((sum, [, s]) => sum + s, 0), most = Math.max(...rows.map(total)) || 1;
    const about = (r) => seconds(total(r)) + (rate(r) ? ', ' + rate(r).toFixed(rate(r) < 10 ? 1 : 0) + ' images/s' : '');
    const left = Math.min(170, width * 0.36), right = Math.max(...rows.map((r) => textWidth(about(r)))) + 10, line = 24, height = rows.length * line + 4;
    const root = svg('svg', { viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': 'seconds a stage' });
    rows.forEach((r, i) => {
      let at = left;
      const y = i * line + 4;
      root.append(text(left - 8, y + 12, clip(rowName(section, r), left - 12), { 'text-anchor': 'end', class: 'ink' }));
      for (const [stage, s] of entries(r).sort((a, b) => rank(a[0]) - rank(b[0]))) {
        const w = (s / most) * (width - left - right);
        if (w > 0) root.append(svg('rect', { class: 'mark', x: at, y, width: Math.max(0.5, w - 1), height: 15, fill: color(stages.indexOf(stage)),
          'data-tip': rowName(section, r) + '\n' + stage + ': ' + seconds(s) + (stage === 'fit' ? '' : ', all threads together') + (wall(r) ? '\nfeatures of ' + r.images + ' images took ' + seconds(wall(r)) : '') }));
        at += w;
      }
      root.append(text(at + 6, y + 12, about(r), { class: 'ink' }));
    });
    return figure('Cost', 'Seconds a stage, all threads together, of the first seed' + (rows.some(rate) ? '; images a second of elapsed time.' : '. Features came from the cache.'), root, legend(stages));
  };

  const provenance = (section) => html('details', null, html('summary', null, 'Provenance: weights, transforms, settings'),
    ...section.rows.flatMap((r) => [html('h3', null, rowName(section, r)), html('pre', null, JSON.stringify(r.provenance, null, 1))]));

  // ---- the page ---------------------------------------------------------------------------------------------------------
  const picker = (section, s) => html('label', { class: 'picker' }, 'details of',
    html('select', { onchange: (e) => { state.row[s] = Number(e.target.value); redraw(s); } },
      ...section.rows.map((r, i) => html('option', { value: i, selected: i === state.row[s] ? '' : null }, rowName(section, r)))));

  const charts = (section, s, width) => {
    const column = width < 890 ? width : (width - 28) / 2, row = section.rows[state.row[s]];
    const detail = [confusionChart(section, row, column), reliabilityChart(section, row, column), agreementChart(section, row, column)].filter(Boolean);
    const overview = [barChart(section, column), sweepChart(section, column), shotsChart(section, column), costChart(section, column)].filter(Boolean);
    return [html('div', { class: 'charts' }, ...overview),
      section.rows.some((r) => r.confusion.length) ? html('div', { style: 'margin-top:22px' }, picker(section, s), html('div', { class: 'charts', style: 'margin-top:6px' }, ...detail), gallery(section, row, s)) : null];
  };

  const drawSection = (section, s, width) => {
    const open = document.querySelector('#section-' + s + ' details[open]');
    const details = provenance(section);
    if (open) details.open = true;
    return html('section', { class: 'task', id: 'section-' + s }, html('h2', null, section.title),
      html('p', { class: 'muted' }, section.head, ...notes(section.notes)), table(section, s), ...charts(section, s, width), details);
  };
  const innerWidthOf = () => Math.max(240, Math.min(1140, document.documentElement.clientWidth - (innerWidth <= 600 ? 20 : 40)) - (innerWidth <= 600 ? 26 : 42));
  const redraw = (s) => {
    const old = document.getElementById('section-' + s), scroll = old.querySelector('.scroll').scrollLeft;
    const fresh = drawSection(data.sections[s], s, innerWidthOf());
    old.replaceWith(fresh);
    fresh.querySelector('.scroll').scrollLeft = scroll;
  };
  const redrawAll = () => data.sections.forEach((_, s) => redraw(s));

  const header = () => {
    const versions = [...new Set(data.sections.flatMap((o) => o.rows.flatMap((r) => r.provenance.map((p) => p.version))))].join(', ');
    const tasks = new Set(data.sections.map((o) => o.task)).size, count = data.sections.reduce((sum, o) => sum + o.rows.length, 0);
    const chooser = html('select', { id: 'baseline', onchange: (e) => { state.baseline = e.target.value; redrawAll(); } },
      data.baseline ? null : html('option', { value: '', selected: state.baseline === '' ? '' : null }, 'each task\u2019s own'),
      ...data.backbones.map((b) => html('option', { value: b, selected: b === state.baseline ? '' : null }, b)));
    return html('div', { class: 'bar' }, html('div', null, html('h1', null, 'Comparison of frozen representations'),
      html('p', { class: 'muted' }, 'vise-eval ' + versions + ': ' + count + ' rows, ' + tasks + (tasks === 1 ? ' task' : ' tasks'))),
      html('label', null, 'baseline', chooser));
  };
  const footer = () => html('div', { class: 'notes small' }, html('h3', null, 'How to read this'),
    ...data.reading.map((sentence) => html('p', null, sentence)),
    html('p', null, '\u25b2 \u25bc: better or worse than the baseline after Holm\u2019s adjustment; grey: not shown by these images. Numbers are those of results.jsonl.'),
    data.footnotes.length ? html('ol', null, ...data.footnotes.map((note, i) => html('li', { id: 'note-' + (i + 1) }, note))) : null);

  const page = document.getElementById('page');
  page.append(header(), ...data.sections.map((section, s) => drawSection(section, s, innerWidthOf())), footer());
  document.body.append(tip);
  let width = innerWidth;
  addEventListener('resize', () => { if (innerWidth !== width) { width = innerWidth; redrawAll(); } });
})();
