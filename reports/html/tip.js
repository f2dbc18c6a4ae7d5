// Tooltips: one box that holds the text (data-tip) of what is under the pointer or in focus. Of a chart's marks, a
// table's differences, a gallery's tiles and the links of the contents one is in the order of tab stops; arrow keys lead
// from one to the next.
const tip = html('div', { id: 'tip', role: 'tooltip', hidden: '' });

const placeTip = (x, y) => {
  const box = tip.getBoundingClientRect();
  tip.style.left = Math.max(4, Math.min(x + 14, innerWidth - box.width - 4)) + 'px';
  tip.style.top = (y + 18 + box.height > innerHeight ? Math.max(4, y - box.height - 10) : y + 18) + 'px';
};
const showTip = (target, x, y) => {
  const owner = target && target.closest ? target.closest('[data-tip]') : null;
  tip.hidden = !owner;
  if (!owner) return;
  tip.textContent = owner.getAttribute('data-tip');
  placeTip(x, y);
};
for (const name of ['pointermove', 'pointerdown'])
  document.addEventListener(name, (e) => showTip(e.target, e.clientX, e.clientY));
document.addEventListener('focusin', (e) => {
  const box = e.target.getBoundingClientRect();
  showTip(e.target, box.left, box.bottom - 12);
});
document.addEventListener('focusout', () => { tip.hidden = true; });

const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
// The group with its first stop in the order of tab stops.
const oneStop = (group) => {
  const first = group.querySelector('.stop');
  if (first) first.setAttribute('tabindex', 0);
  return group;
};
const moveAlongStops = (event) => {
  const group = event.target.closest && event.target.closest('svg, .roving');
  if (!group || !(event.key in steps)) return;
  const stops = [...group.querySelectorAll('.mark, .stop')], at = stops.indexOf(event.target);
  const next = at < 0 ? null : stops[at + steps[event.key]];
  if (!next) return;
  event.preventDefault();
  event.target.setAttribute('tabindex', -1);
  next.setAttribute('tabindex', 0);
  next.focus();
};
document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') tip.hidden = true;
  moveAlongStops(event);
});
