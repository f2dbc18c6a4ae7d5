// Who wins which image: the test images that only one of two rows gets right, side by side, of a section's chosen row and
// any other. They are made of what every row says of every image (answers_json in reports/won_images.cc).
const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const numberAt = (text, place, width) => {
  let number = 0;
  for (let i = place * width; i < (place + 1) * width; ++i) number = number * digits.length + digits.indexOf(text[i]);
  return number;
};

const wonImages = ({ ids, truth, rows, digits: width }, row, other) => {
  const answer = (of, i) => ({ predicted: numberAt(rows[of].predicted, i, width), sure: numberAt(rows[of].sure, i, 2) / 3843 });
  const images = ids.map((id, i) => ({ id, truth: numberAt(truth, i, width), row: answer(row, i), other: answer(other, i) }));
  const right = (image, side) => image[side].predicted === image.truth;
  return images.filter((image) => right(image, 'row') !== right(image, 'other'))
    .map((image) => ({ ...image, byRow: right(image, 'row') }));
};

const mostWon = 40;  // that are drawn before they are asked for

const wonColumns = (section, row, other) => {
  const name = (k) => section.class_names[k];
  const says = (side) => (image) => html('td', null, name(image[side].predicted) + ' ',
    html('span', { class: 'muted' }, percents(image[side].sure) + ' %'));
  const picture = (id) => section.thumbnails && section.thumbnails[id]
    && html('img', { src: section.thumbnails[id], alt: '', width: 48, height: 48 });
  return [
    { title: 'image', sort: (image) => image.id, cell: (image) => html('th', { scope: 'row', class: 'name' }, picture(image.id),
      html('span', { class: 'whole', title: image.id }, shortened(image.id))) },
    { title: 'true class', sort: (image) => name(image.truth), cell: (image) => html('td', null, name(image.truth)) },
    { title: rowName(section, section.rows[row]), sort: (image) => image.row.sure, number: true, cell: says('row') },
    { title: rowName(section, section.rows[other]), sort: (image) => image.other.sure, number: true, cell: says('other') },
    { title: 'right alone', sort: (image) => (image.byRow ? 0 : 1) - image[image.byRow ? 'row' : 'other'].sure / 2,
      cell: (image) => html('td', null, shortened(rowName(section, section.rows[image.byRow ? row : other]))) }];
};

const wonTable = (section, s, row, other, won) => {
  const list = wonColumns(section, row, other), view = state.wins[s], sign = view.descending ? -1 : 1;
  const by = list[view.column].sort, compared = (a, b) => (typeof a === 'string' ? a.localeCompare(b) : a - b);
  const sorted = won.slice().sort((a, b) => sign * compared(by(a), by(b)));
  const shown = view.all ? sorted : sorted.slice(0, mostWon);
  const again = (change, control) => {
    Object.assign(view, change);
    redrawWins(s);
    const found = document.querySelectorAll('#section-' + s + ' .wins ' + control[0])[control[1]];
    if (found) found.focus();
  };
  const heads = list.map((column, c) => html('th', { scope: 'col',
    'aria-sort': c !== view.column ? 'none' : view.descending ? 'descending' : 'ascending' },
  html('button', { type: 'button', title: column.title, onclick: () => again({ column: c,
    descending: c === view.column ? !view.descending : !!column.number }, ['thead button', c]) }, shortened(column.title))));
  const caption = 'test images of ' + section.title + ' that only one of two rows gets right';
  return [scrolling(caption, html('table', { class: 'results' }, html('caption', { class: 'unseen' }, caption),
    html('thead', null, html('tr', null, ...heads)),
    html('tbody', null, ...shown.map((image) => html('tr', null, ...list.map((column) => column.cell(image))))))),
  shown.length < won.length ? html('button', { type: 'button', class: 'save',
    onclick: () => again({ all: true }, ['tbody th', 0]) }, 'show all ' + won.length) : null];
};

// The row that the chosen one is compared with: the one picked here, else the baseline's, else the first other.
const otherOf = (section, s, row) => {
  const rows = section.answers.rows, fits = (i) => i !== undefined && i !== row && rows[i];
  const difference = differenceOf(section, row);
  return [state.wins[s].against, difference ? difference.compared_with : undefined, ...rows.keys()].find(fits);
};

const winsSection = (section, s) => {
  if (!section.answers) {
    return section.answers === null && section.target_kind === 'classes' && data.resamples > 0 && !section.folds.length
      ? html('p', { class: 'muted small wins' }, 'Who wins which image: vise-eval compare RUN ROW ROW says it; there are too many images for this page.')
      : null;
  }
  const row = state.row[s], other = otherOf(section, s, row);
  if (!section.answers.rows[row] || other === undefined) return null;
  const won = wonImages(section.answers, row, other), mine = won.filter((image) => image.byRow).length;
  const names = [row, other].map((r) => shortened(rowName(section, section.rows[r])));
  const against = html('label', { class: 'picker' }, 'against', html('select', {
    onchange: (e) => { state.wins[s].against = Number(e.target.value); redrawWins(s); document.querySelector('#section-' + s + ' .wins select').focus(); } },
  ...section.rows.map((r, i) => (i === row || !section.answers.rows[i] ? null
    : html('option', { value: i, selected: i === other ? '' : null }, rowName(section, r))))));
  const inside = () => [against,
    html('p', { class: 'muted small' }, 'What each says, and how sure it is of it (softmax)'
      + (section.rows[row].seeds > 1 ? '; of several seeds the first' : '') + '.'),
    ...(won.length ? wonTable(section, s, row, other, won) : [html('p', { class: 'muted' }, 'None: both are right on the same images.')])];
  const fold = html('details', { class: 'wins', open: state.wins[s].open ? '' : null },
    html('summary', null, 'Who wins which image: ' + names[0] + ' alone is right on ' + mine + ' of ' + section.answers.ids.length
      + ' test images, ' + names[1] + ' alone on ' + (won.length - mine)), ...(state.wins[s].open ? inside() : []));
  fold.addEventListener('toggle', () => {
    if (fold.open === state.wins[s].open) return;
    state.wins[s].open = fold.open;
    if (fold.open) fold.append(...inside().filter(Boolean));
    else while (fold.children.length > 1) fold.lastChild.remove();
  });
  return fold;
};
const redrawWins = (s) => document.querySelector('#section-' + s + ' .wins').replaceWith(winsSection(data.sections[s], s));
