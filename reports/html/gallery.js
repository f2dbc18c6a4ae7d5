// The images that a row is most sure of, right and wrong; with maps, what it looks at beside what the baseline looks at.
// Three kinds of map, never one under another's name: a class's evidence in a linear probe, and two of a transformer's
// own attention, which know of no probe.
const overlayKinds = {
  class_activation: 'class activation maps',
  class_token_attention: 'attention of the last block’s class token',
  attention_rollout: 'attention rollout',
};

// The map of that kind of an item in a row's network, or null; `map` is the item's class activation map there.
const mapOf = (section, row, id, map, kind) => {
  if (kind === 'class_activation') return map;
  const network = section.attention[row.gallery.network], image = network && network.images[id];
  return image ? image[kind] : null;
};

// With a map, the picture that has it laid over: part of its pixels, so that it is printed too.
const picture = (section, id, map) => {
  const source = state.maps && map ? map.picture : section.thumbnails[id];
  return html('span', { class: 'picture' }, source ? html('img', { src: source, alt: id, width: 96, height: 96 })
    : html('span', { class: 'muted small' }, 'image not found'));
};

const mapText = (name, map, kind) => {
  if (!map) return '';
  if (kind === 'class_activation')
    return '\n' + name + ': score ' + map.score.toFixed(2) + ' against the mean of the classes; strongest place '
      + map.most.toFixed(2);
  return '\n' + name + ': ' + percents(map.sum) + ' % goes to places; from ' + (100 * map.least).toFixed(2) + ' to '
    + (100 * map.most).toFixed(2) + ' % a place';
};

const tileTip = (section, row, other, item, kind, maps) => {
  const predicted = section.class_names[item.predicted];
  const about = item.id + '\ntrue: ' + section.class_names[item.truth] + '\npredicted: ' + predicted + ' ('
    + percents(item.confidence) + ' %)';
  if (!maps.some(Boolean)) return about;
  return about + '\n' + (kind === 'class_activation' ? 'evidence for ' + predicted : overlayKinds[kind])
    + mapText(rowName(section, row), maps[0], kind) + mapText(rowName(section, other), maps[1], kind);
};

const tile = (section, row, other, paired, kind) => (item) => {
  const predicted = section.class_names[item.predicted], truth = section.class_names[item.truth];
  const wrong = item.predicted === item.truth ? '' : ', not ' + truth;
  const maps = [mapOf(section, row, item.id, item.class_activation, kind),
    paired ? mapOf(section, other, item.id, item.baseline_class_activation, kind) : null];
  const about = tileTip(section, row, other, item, kind, maps);
  return html('div', { class: 'tile stop' + (paired ? ' pair' : ''), 'data-tip': about, tabindex: -1, role: 'img', 'aria-label': about },
    html('div', { class: 'pictures' }, picture(section, item.id, maps[0]),
      paired ? picture(section, item.id, maps[1]) : null),
    html('span', { class: 'small' }, predicted + wrong),
    html('span', { class: 'small muted' }, percents(item.confidence) + ' %'));
};

// Whether to show maps, and where there are several kinds which.
const mapChoice = (s, kinds, kind) => {
  const redrawn = (control) => {
    redrawAll();
    document.querySelector('#section-' + s + ' .toggle ' + control).focus();
  };
  const shown = html('input', { type: 'checkbox', checked: state.maps ? '' : null,
    onchange: (e) => { state.maps = e.target.checked; redrawn('input'); } });
  if (kinds.length === 1) return html('label', { class: 'toggle' }, shown, ' ' + overlayKinds[kind]);
  return html('div', { class: 'toggle' }, html('label', null, shown, ' maps: '),
    html('select', { 'aria-label': 'kind of map', onchange: (e) => { state.overlay = e.target.value; redrawn('select'); } },
      ...kinds.map((k) => html('option', { value: k, selected: k === kind ? '' : null }, overlayKinds[k]))));
};

const keyText = {
  class_activation: [html('i', { class: 'warm' }), 'evidence for the predicted class, ', html('i', { class: 'cold' }),
    'against it; exact for a linear probe on averaged features, each map scaled by its strongest place.'],
  class_token_attention: [html('i', { class: 'seen' }), 'what the class token of the last block before the layer takes '
    + 'from each place, the mean over its heads. It is the network’s own, whatever the probe and the class; each map goes '
    + 'from its weakest to its strongest place.'],
  attention_rollout: [html('i', { class: 'seen' }), 'attention rollout (Abnar and Zuidema 2020): the class token’s attention '
    + 'followed through all blocks up to the layer, each block’s the mean over its heads and one half the residual. It is '
    + 'the network’s own, whatever the probe and the class; each map goes from its weakest to its strongest place.'],
};

const mapKey = (section, row, other, paired, kind) => html('p', { class: 'muted small' },
  ...keyText[kind].map((part) => (part.cloneNode ? part.cloneNode() : part)),
  paired ? ' Left: ' + rowName(section, row) + ', right: ' + rowName(section, other) + '.' : '');

const gallery = (section, row, s) => {
  if (!row.gallery || !section.thumbnails) return null;
  const { right, wrong } = row.gallery, items = [...right, ...wrong], other = section.rows[row.gallery.compared_with];
  const kinds = Object.keys(overlayKinds).filter((kind) =>
    items.some((item) => mapOf(section, row, item.id, item.class_activation, kind)));
  const kind = kinds.includes(state.overlay) ? state.overlay : kinds[0] || 'class_activation';
  const paired = items.some((item) => item.baseline_class_activation)
    || (row.gallery.is_compared && items.some((item) => mapOf(section, other, item.id, null, 'attention_rollout')));
  const network = section.attention[row.gallery.network];
  const side = (title, list) => [html('h3', null, title),
    list.length ? oneStop(html('div', { class: 'tiles roving' }, ...list.map(tile(section, row, other, paired, kind))))
      : html('p', { class: 'muted small' }, 'none')];
  return html('div', { class: 'gallery' },
    kinds.length ? mapChoice(s, kinds, kind) : null, kinds.length ? mapKey(section, row, other, paired, kind) : null,
    network && network.none ? html('p', { class: 'muted small' }, network.none + '.') : null,
    ...side('Most confident and right', right), ...side('Most confident and wrong', wrong));
};
