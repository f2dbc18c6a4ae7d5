// The images that a row is most sure of, right and wrong; with maps, what it looks at beside what the baseline looks at.

// Evidence for a class (warm) and against it (cold), one pixel a position of the network's last map; the browser
// smooths it.
const overlay = (map) => {
  const inset = (100 * map.inset).toFixed(3) + '%', side = (100 - 200 * map.inset).toFixed(3) + '%';
  const canvas = html('canvas', { width: map.width, height: map.height, class: 'map', 'aria-hidden': 'true',
    style: 'inset:' + inset + ';width:' + side + ';height:' + side });
  const context = canvas.getContext('2d'), image = context.createImageData(map.width, map.height);
  map.values.forEach((v, i) =>
    image.data.set([v > 0 ? 226 : 40, v > 0 ? 60 : 96, v > 0 ? 30 : 214, Math.round(1.9 * Math.abs(v))], 4 * i));
  context.putImageData(image, 0, 0);
  return canvas;
};

const picture = (section, id, map) => {
  const source = section.thumbnails[id];
  if (!source)
    return html('span', { class: 'picture' }, html('span', { class: 'muted small' }, 'image not found'));
  return html('span', { class: 'picture' }, html('img', { src: source, alt: id, width: 96, height: 96 }),
    map ? overlay(map) : null);
};

const evidenceText = (name, map) => (map ? '\n' + name + ': score ' + map.score.toFixed(2)
  + ' against the mean of the classes; strongest place ' + map.most.toFixed(2) : '');

const tileTip = (section, row, other, item) => {
  const predicted = section.class_names[item.predicted];
  const about = item.id + '\ntrue: ' + section.class_names[item.truth] + '\npredicted: ' + predicted + ' ('
    + percents(item.confidence) + ' %)';
  if (!item.map && !item.baseline_map) return about;
  return about + '\nevidence for ' + predicted + evidenceText(rowName(section, row), item.map)
    + evidenceText(rowName(section, other), item.baseline_map);
};

const tile = (section, row, other, paired) => (item) => {
  const predicted = section.class_names[item.predicted], truth = section.class_names[item.truth];
  const wrong = item.predicted === item.truth ? '' : ', not ' + truth;
  return html('div', { class: 'tile' + (paired ? ' pair' : ''), 'data-tip': tileTip(section, row, other, item), tabindex: 0 },
    html('div', { class: 'pictures' }, picture(section, item.id, item.map),
      paired ? picture(section, item.id, item.baseline_map) : null),
    html('span', { class: 'small' }, predicted + wrong),
    html('span', { class: 'small muted' }, percents(item.confidence) + ' %'));
};

const mapToggle = (s) => {
  const change = (e) => {
    state.maps = e.target.checked;
    redrawAll();
    document.querySelector('#section-' + s + ' .toggle input').focus();
  };
  return html('label', { class: 'toggle' },
    html('input', { type: 'checkbox', checked: state.maps ? '' : null, onchange: change }), ' class activation maps');
};

const mapKey = (section, row, other, paired) => html('p', { class: 'muted small' },
  html('i', { class: 'warm' }), 'evidence for the predicted class, ', html('i', { class: 'cold' }),
  'against it; exact for a linear probe on averaged features, each map scaled by its strongest place.'
    + (paired ? ' Left: ' + rowName(section, row) + ', right: ' + rowName(section, other) + '.' : ''));

const gallery = (section, row, s) => {
  if (!row.gallery || !section.thumbnails) return null;
  const { right, wrong } = row.gallery, items = [...right, ...wrong], other = section.rows[row.gallery.compared_with];
  const mapped = items.some((item) => item.map), paired = items.some((item) => item.baseline_map);
  const side = (title, list) => [html('h3', null, title),
    list.length ? html('div', { class: 'tiles' }, ...list.map(tile(section, row, other, paired)))
      : html('p', { class: 'muted small' }, 'none')];
  return html('div', { class: 'gallery' + (state.maps ? '' : ' plain') },
    mapped ? mapToggle(s) : null, mapped ? mapKey(section, row, other, paired) : null,
    ...side('Most confident and right', right), ...side('Most confident and wrong', wrong));
};
