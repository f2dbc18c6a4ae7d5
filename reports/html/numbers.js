// Numbers as text, as the program's other tables print them, and the names of rows.
const metricOf = (key) => data.metric_names[key];
const scaled = (metric, value) => (metric.percent ? 100 * value : value);
const places = (metric, section) => (metric.percent ? (section.split.test > 1000 ? 2 : 1) : 3);

// Exact ties go to the even digit, as the program's other tables print them; toFixed alone would round them up.
const fixed = (value, digits) => {
  const up = value.toFixed(digits), rest = value.toFixed(digits + 60).slice(-60);
  if (!/^50*$/.test(rest) || Number(up.slice(-1)) % 2 === 0) return up;
  return (Number(up) - Math.sign(value) * 10 ** -digits).toFixed(digits);
};
const show = (metric, section, value) =>
  (value === null ? '-' : fixed(scaled(metric, value), places(metric, section)));
const signed = (metric, section, value) => {
  const text = fixed(scaled(metric, value), places(metric, section));
  if (Number(text) === 0) return text.replace('-', '');
  return value > 0 ? '+' + text : text;
};
const percents = (share) => (100 * share).toFixed(1);
const pText = (p) => (p < 0.001 ? '< 0.001' : p.toFixed(3));
const seconds = (s) => (s >= 100 ? s.toFixed(0) + ' s' : s >= 1 ? s.toFixed(1) + ' s' : (1000 * s).toFixed(0) + ' ms');

// Of an axis: 0.01, 100, 1e-6.
const plain = (value) => (Math.abs(value) >= 1e5 || (value !== 0 && Math.abs(value) < 1e-3)
  ? value.toExponential(0).replace('+', '') : String(+value.toPrecision(4)));

const levelText = () => +(100 * data.level).toPrecision(4) + ' %';
const intervalText = (metric, section, m) =>
  levelText() + ' interval ' + show(metric, section, m.low) + ' to ' + show(metric, section, m.high);

const rowName = (section, row) => {
  const several = new Set(section.rows.map((r) => r.probe)).size > 1;
  return several ? row.label + ' / ' + row.probe : row.label;
};
const baselineOf = (section) => state.baseline || section.baseline;
const isBaseline = (section, row) => row.backbone === baselineOf(section);
const differenceOf = (section, index) => (section.differences[baselineOf(section)] || [])[index] || null;
