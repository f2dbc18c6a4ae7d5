// The verdict's curves: by how many labels were learnt from, and by layer; of one task in its section, of the mean over
// tasks before them.
const noSection = { split: { test: 0 } };  // numbers over tasks have a decimal of a percent

const curveSeries = (curves, xOf, whatOf) => curves.slice(0, mostLines).map((curve) => {
  const metric = metricOf(curve.metric), several = new Set(curves.map((c) => c.probe)).size > 1;
  const name = several && curve.probe ? curve.backbone + ' / ' + curve.probe : curve.backbone;
  return { name, points: curve.points.map((point, i) => ({
    x: xOf(point, i), y: scaled(metric, point.value),
    low: point.band ? scaled(metric, point.band.low) : undefined, high: point.band ? scaled(metric, point.band.high) : undefined,
    about: [name, whatOf(point), metric.title + ' ' + show(metric, noSection, point.value),
      point.band ? intervalText(metric, noSection, point.band) : null].filter(Boolean).join('\n') })) };
});

const curveWords = (curves, by) => {
  const metric = metricOf(curves[0].metric);
  return metric.title + (metric.percent ? ' in %' : '') + by + (curves[0].task ? '' : ', mean over tasks')
    + (curves.some((c) => c.points.some((p) => p.band)) ? '; bands are ' + levelText() + ' intervals' : '')
    + (curves.length > mostLines ? '; the first ' + mostLines + ' rows' : '') + '.';
};

// Curves that one drawing can hold.
const alike = (curves, key) => [...d3.group(curves, key).values()];

const labelCharts = (curves, width) => alike(curves, (c) => c.metric + c.points.map((p) => p.shots + '/' + p.fraction))
  .map((some) => lineChart('Label efficiency', curveWords(some, ' by training images'),
    curveSeries(some, (p) => p.labels, (p) => +p.labels.toPrecision(4) + ' training images' + (p.shots ? ', ' + p.shots + ' a class' : '')), width,
    { x: 'training images', log: (xs) => Math.min(...xs) > 0, bands: true }));

const tapName = (points) => {
  const several = new Set(points.map((p) => p.pool)).size > 1;
  return (p) => (several ? p.layer + '/' + p.pool : p.layer);
};

const layerCharts = (curves, width) => alike(curves, (c) => c.metric + c.points.map((p) => p.layer + '/' + p.pool))
  .map((some) => {
    const name = tapName(some[0].points);
    return lineChart('Layers', curveWords(some, ' by layer'), curveSeries(some, (_, i) => i, name), width,
      { x: 'layer', log: () => false, bands: true, names: some[0].points.map(name) });
  });

const curvesOf = (kind, fits) => ((data.verdict && data.verdict[kind]) || []).filter(fits);

// Of one task, its full sample alone: a curve a backbone with three taps and more.
const layersChart = (section, width) => (section.shots > 0 || section.fraction < 1 || section.where ? null
  : layerCharts(curvesOf('layers', (c) => c.task === section.task && c.target === section.target), width));

// Of the mean over tasks, by the probe that is compared.
const curvesOverTasks = (probe, width) => {
  const column = width < 890 ? width : (width - 28) / 2, fits = (c) => c.task === '' && (!probe || c.probe === probe);
  return [...labelCharts(curvesOf('labels', fits), column), ...layerCharts(curvesOf('layers', fits), column)];
};
