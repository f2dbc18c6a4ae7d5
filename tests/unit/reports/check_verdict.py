#!/usr/bin/python3
"""Recomputes every number of a run's verdict, and those of its tables that the verdict counts, from the stored scores: in
numpy alone, by other means where there are any. Variances of accuracies come from their formulas instead of resamples,
Wilcoxon's test by enumeration, distributions by continued fractions and sums.

Usage: check_verdict.py RUN TABLE.json TABLE.md      (vise-eval report RUN --json, and its table.md)

Comparisons of accuracies. Exact numbers agree to 1e-9, what comes from 10,000 resamples to their error. Of means over few
training runs the half-width has no formula (statistics/seed_means.h solves for it, and its own test simulates it): with
up to four degrees of freedom it must lie between those of a normal law and of Student's t. Prints what was compared; a
difference ends with exit code 1.
"""
import csv, itertools, json, math, sys, zlib
import numpy as np

run, table, text = sys.argv[1], json.load(open(sys.argv[2])), open(sys.argv[3]).read()
results = {entry['key']: entry for entry in map(json.loads, open(f'{run}/results.jsonl')) if 'key' in entry}
DRAWS, checked = 3000, {}

def expect(what, got, wanted, tolerance=1e-9):
    checked[what] = checked.get(what, 0) + 1
    if (got is None) != (wanted is None) or (got is not None and not abs(got - wanted) <= tolerance):
        sys.exit(f'{what}: the table says {got}, recomputed {wanted} (tolerance {tolerance})')

def expect_interval(what, got, low, high, tolerance):
    expect(what, got['low'], low, tolerance)
    expect(what, got['high'], high, tolerance)

# Distributions ---------------------------------------------------------------------------------------------------------

def bisect(falls, low, high, steps=80):
    for _ in range(steps):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if falls(middle) > 0 else (low, middle)
    return high

def beta_below(x, a, b):
    """The regularised incomplete beta function, by its continued fraction (Lentz)."""
    if x <= 0 or x >= 1: return float(x >= 1)
    if x > (a + 1) / (a + b + 2): return 1 - beta_below(1 - x, b, a)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)) / a
    c, d = 1.0, 1 / (1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, 1000):
        for term in (m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)), -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))):
            d = 1 / (1 + term * d); c = 1 + term / c; value *= c * d
        if abs(c * d - 1) < 1e-15: break
    return front * value

def t_beyond(t, df):
    """Two-sided."""
    return math.erfc(t / math.sqrt(2)) if df > 1e6 else beta_below(df / (df + t * t), df / 2, .5)

def t_quantile(df): return bisect(lambda t: t_beyond(t, df) - .05, 1, 1e3)

def f_beyond(f, a, b): return beta_below(b / (b + a * f), b / 2, a / 2)

def chi2_below(x, df):
    term = total = 1 / math.gamma(df / 2 + 1)
    for n in range(1, 400):
        term *= x / 2 / (df / 2 + n); total += term
    return (x / 2) ** (df / 2) * math.exp(-x / 2) * total

def studentized_range(k):
    """The range of k normal values that is exceeded 5 times of 100."""
    z = np.arange(-9, 19, 1 / 64); below = np.array([math.erfc(-v / math.sqrt(2)) / 2 for v in z])
    def exceeded(q):
        shifted = np.array([math.erfc(-(v - q) / math.sqrt(2)) / 2 for v in z])
        return .95 - k * (np.exp(-z * z / 2) / math.sqrt(2 * math.pi) * (below - shifted) ** (k - 1)).sum() / 64
    return bisect(exceeded, .5, 20, 50)

def binomial_p(b, c): return min(1, 2 * sum(math.comb(b + c, i) for i in range(min(b, c) + 1)) / 2 ** (b + c))

def clopper_pearson(k, n):
    low = 0 if k == 0 else bisect(lambda x: .025 - beta_below(x, k, n - k + 1), 1e-9, 1)
    return low, 1 if k == n else bisect(lambda x: .975 - beta_below(x, k + 1, n - k), 1e-9, 1)

def holm(p):
    order = np.argsort(p, kind='stable'); out = np.zeros(len(p)); worst = 0
    for i, at in enumerate(order): worst = max(worst, min(1, (len(p) - i) * p[at])); out[at] = worst
    return out

def ranks_of(x):
    """1 is best, ties share; along the last axis."""
    x = np.round(x, 12)
    above, equal = (x[..., None, :] > x[..., None]).sum(-1), (x[..., None, :] == x[..., None]).sum(-1)
    return above + (equal + 1) / 2

def wilcoxon(d):
    d = d[np.abs(d) > 1e-12]
    if not len(d): return 1.0
    r = ranks_of(-np.abs(d)); w = min(r[d > 0].sum(), r[d < 0].sum())
    return min(1, 2 * (np.array(list(itertools.product((0, 1), repeat=len(d)))) @ r <= w + 1e-9).mean())

# A table's section: right or wrong, and what other images and runs would do to it -----------------------------------------

def model(key):
    """id -> right or wrong, and its class."""
    file = f"{run}/{results[key]['scores_file']}"
    scores = np.load(file)
    with open(file.replace('.npy', '.csv')) as lines: rows = list(csv.DictReader(lines))
    return {r['id']: (float(s.argmax() == int(r['target'])), int(r['target'])) for r, s in zip(rows, scores)}

def models_of(row):
    models = [model(k) for k in row['keys'] if results[k]['status'] == 'ok']
    return models[:1] if all(m == models[0] for m in models) else models

class Section:
    def __init__(self, section):
        self.name, self.rows = section['task'] + section['target'], section['rows']
        models = [models_of(row) for row in self.rows]
        self.ids = sorted(set.intersection(*(set(m) for seeds in models for m in seeds)))
        self.y = np.array([models[0][0][i][1] for i in self.ids])
        self.right = [np.array([[m[i][0] for i in self.ids] for m in seeds]) for seeds in models]
        self.floor = np.bincount(self.y).max() / len(self.y)
        self.kept = {}

    def centred(self, x):
        x = x.astype(float).copy()
        for k in set(self.y): x[..., self.y == k] -= x[..., self.y == k].mean(-1, keepdims=True)
        return x / len(self.ids)

    def error(self, right):
        """Of a mean over models: its value, the variances that images and models bring, the models' degrees of freedom, and
        what each image does. The images' variance is the bootstrap's within classes, exactly."""
        effects, k = self.centred(right), len(right)
        of_mean = (effects.mean(0) ** 2).sum()
        if k == 1: return right.mean(), of_mean, 0, 0, effects.mean(0)
        together = ((effects ** 2).sum() - k * of_mean) / (k - 1) / k
        return right.mean(), max(0, of_mean - together), right.mean(1).var(ddof=1) / k, k - 1, effects.mean(0)

    def gain(self, row, other): return self.error(self.right[row] - self.right[other])  # one model against each of several

    def draws(self, row):
        """The row's score in resamples of images and models, the same for all rows and for all samples of train."""
        if 'counts' not in self.kept:
            rng = np.random.default_rng(zlib.crc32(self.name.encode())); counts = np.zeros((DRAWS, len(self.ids)))
            for k in sorted(set(self.y)):
                at = np.flatnonzero(self.y == k); counts[:, at] = rng.multinomial(len(at), [1 / len(at)] * len(at), DRAWS)
            self.kept['counts'] = counts
        if row not in self.kept:
            r = self.right[row]; k, values = len(r), r.mean(1); drawn = self.kept['counts'] @ r.mean(0) / len(self.ids)
            own = np.random.default_rng(zlib.crc32(f'{self.name}{k}'.encode())).integers(0, k, (DRAWS, k))
            self.kept[row] = drawn + (values[own].mean(1) - values.mean()) * math.sqrt(k / max(1, k - 1))
        return self.kept[row]

sections = {}
def section_at(place):
    if place not in sections: sections[place] = Section(table['sections'][place])
    return sections[place]

def check_rows(place):
    """What the verdict counts: accuracies, differences, McNemar's p, Holm's, and who wins which image."""
    section, tested = section_at(place), []
    for r, row in enumerate(section.rows):
        expect('accuracy', row['metrics']['accuracy']['value'], section.right[r].mean())
        d = row['difference']
        if not d: continue
        mine, theirs = section.right[r], section.right[d['compared_with']]
        expect('difference', d['value'], mine.mean() - theirs.mean())
        only = [(mine[0] > theirs[0]).sum(), (theirs[0] > mine[0]).sum()]
        expect('only one right', d['only_row'], only[0]); expect('only one right', d['only_baseline'], only[1])
        for name, wins in (('only_row_images', mine[0] > theirs[0]), ('only_baseline_images', theirs[0] > mine[0])):
            if name not in d: continue
            named = sorted(table['sections'][place]['images'][i] for i in d[name])
            checked[name] = checked.get(name, 0) + 1
            if named != [i for i, won in zip(section.ids, wins) if won]: sys.exit(f'{name}: others are won')
        if len(mine) == len(theirs) == 1: expect('McNemar', d['p'], binomial_p(*map(int, only)))
        tested.append(d)
    for d, p in zip(tested, holm([d['p'] for d in tested])): expect('Holm of a table', d['p_holm'], p)

# Over tasks -------------------------------------------------------------------------------------------------------------

def exceeds(a, residuals, cov, q):
    """P[(a'e)^2 > q e'Re], by the characteristic roots of the product, which need no square root of `cov`."""
    roots = np.sort(np.linalg.eigvals((np.outer(a, a) - q * residuals) @ cov).real)
    ratio = np.maximum(0, -roots[:-1] / roots[-1])
    square = np.sin((np.arange(4000) + 0.5) / 4000 * np.pi / 2)[:, None] ** 2
    return np.sqrt((square / (square + ratio)).prod(1)).mean()

def alike(d, V, groups, a):
    """p and half-width of the contrast with tasks as units."""
    T = len(d); X = np.array([[g == k for k in sorted(set(groups))] for g in groups], float); df = T - X.shape[1]
    if df < 1: return None, None
    R = np.eye(T) - X @ np.linalg.inv(X.T @ X) @ X.T
    target = bisect(lambda x: {1: .05, 2: .12, 3: .2}.get(df, .25) - chi2_below(x, df), 1e-6, 100)
    def squares(s2):
        W = np.linalg.inv(V + s2 * np.eye(T)); r = d - X @ np.linalg.inv(X.T @ W @ X) @ X.T @ W @ d
        return r @ W @ r
    least = 1e-9 * V.diagonal().mean()
    cov = V + (bisect(lambda s: squares(s) - target, least, 10) if squares(least) > target else least) * np.eye(T)
    rss = d @ R @ d
    q = bisect(lambda q: exceeds(a, R, cov, q) - .05, 1e-6, 1e8)
    return exceeds(a, R, cov, (a @ d) ** 2 / rss), math.sqrt(q * rss)

def joint_df(x, df): return sum(x) ** 2 / sum(v * v / f for v, f in zip(x, df) if f) if sum(x) else 0

def expect_mean(what, got, p, value, images, models, df):
    """An interval, and where there is a test its p, of a number of which images and models bring so much variance."""
    ends = [value - got['low']] * (p is not None or got['low'] > 0) + [got['high'] - value] * (p is not None or got['high'] < 1)
    half, ratio = max(ends), models / images if images > 0 else math.inf  # a score's interval is cut at 0 and 1
    expect(what, min(ends), half, 1e-6)
    shape = math.inf if df == 0 else df / (ratio / (1 + ratio)) ** 2 if ratio < math.inf else df
    wanted, t = math.sqrt(images + models), t_quantile(shape)
    if 0 < df <= 4: expect(what + ' (few runs)', half, max(min(half, 1.02 * t_quantile(df) * wanted), 1.9 * math.sqrt(images)))
    else: expect(what, half, t * wanted, (.06 if models else .04) * t * wanted)  # runs' part is taken from the resamples
    if p is not None: expect(what + ', p', p, t_beyond(abs(value) / half * t, shape), .004)

def sums_of(a, V, models, df):
    """Of a weighted sum over tasks: the variances that images and models bring, and the models' degrees of freedom."""
    apart, shared = (a * a * (V.diagonal() - models)).sum(), a @ (V - np.diag(V.diagonal())) @ a
    return apart * max(.05, (apart + shared) / apart) if apart > 0 else 0, (a * a * models).sum(), joint_df(a * a * models, df)

def expect_over(what, got, d, V, models, df, a, groups):
    """One number over tasks: value, both intervals and p-values. V has the variance of images and models."""
    expect(what, got['value'], a @ d)
    expect_mean(what + ', these tasks', got['these'], got['p_these'], a @ d, *sums_of(a, V, models, df))
    expect(what + ', detectable', got['detectable'], (got['these']['high'] - got['these']['low']) / 2 * 2.801585218 / 1.959963985, 1e-6)
    used = [t for t in range(len(d)) if a[t] != 0]
    p, half = alike(d[used], V[np.ix_(used, used)], [groups[t] for t in used], a[used])
    if p is None: return expect(what + ', alike, p', got['p_alike'], None)
    expect(what + ', alike, p', got['p_alike'], p, .01)
    expect_interval(what + ', alike', got['alike'], a @ d - half, a @ d + half, .05 * half)

def cliques_of(c, mean, T):
    order = sorted(range(len(mean)), key=lambda e: mean[e])
    runs = [order[i:j] for i in range(len(order)) for j in range(i + 2, len(order) + 1)
            if all(c['pairs'][a][b] >= .05 for a, b in itertools.combinations(order[i:j], 2))]
    return sorted(sorted(r) for r in runs if not any(set(r) < set(o) for o in runs))

def check_ranks(c, scores, tasks):
    T, B = scores.shape; places = [row['rows'] for row in c['rows']]
    drawn = np.array([[tasks[t].draws(places[e][t]) for e in range(B)] for t in range(T)]).transpose(2, 0, 1)
    other = np.random.default_rng(7).integers(0, T, (DRAWS, T)); again = drawn[np.arange(DRAWS)[:, None], other]
    ranks = ranks_of(scores)
    for kind, draws in (('these', drawn), ('alike', again)):
        mean_ranks, means = ranks_of(draws).mean(1), draws.mean(1)
        best = means > means.max(1, keepdims=True) - 1e-12; best = (best / best.sum(1, keepdims=True)).mean(0)
        for e, row in enumerate(c['rows']):
            expect('P(best), ' + kind, row['best_' + kind], best[e], .05)
            low, high = np.percentile(mean_ranks[:, e], (2.5, 97.5))
            expect_interval('rank interval, ' + kind, row['rank_' + kind], low, high, .34)
    for e, row in enumerate(c['rows']): expect('mean rank', row['mean_rank'], ranks[:, e].mean())
    if T < 5: return expect('critical difference', c['critical_difference'], None)
    expect('critical difference', c['critical_difference'], studentized_range(B) / math.sqrt(2) * math.sqrt(B * (B + 1) / 6 / T))
    mean = ranks.mean(0); ties = sum(n ** 3 - n for r in ranks for n in np.unique(r, return_counts=True)[1])
    chi2 = 12 * T / B / (B + 1) * ((mean - (B + 1) / 2) ** 2).sum() / (1 - ties / (T * B * (B * B - 1))) if B > 2 else None
    expect('Friedman', c['friedman']['chi2'], chi2)
    if chi2:
        f = (T - 1) * chi2 / (T * (B - 1) - chi2)
        expect('Friedman, p', c['friedman']['p'], 1 - chi2_below(chi2, B - 1))
        expect('Iman and Davenport', c['friedman']['f'], f)
        expect('Iman and Davenport, p', c['friedman']['p_f'], f_beyond(f, B - 1, (B - 1) * (T - 1)))
    pairs = [(i, j) for i in range(B) for j in range(i)]
    for (i, j), p in zip(pairs, holm([wilcoxon(scores[:, i] - scores[:, j]) for i, j in pairs])):
        expect('Wilcoxon, pairs', c['pairs'][i][j], p)
    expect('cliques', float(sorted(map(sorted, c['cliques'])) == cliques_of(c, mean, T)), 1)
    base = next(i for i, row in enumerate(c['rows']) if row['baseline']); others = [e for e in range(B) if e != base]
    single = [wilcoxon(scores[:, e] - scores[:, base]) for e in others]
    for e, p, adjusted in zip(others, single, holm(single)):
        expect('Wilcoxon', c['rows'][e]['wilcoxon'], p); expect('Wilcoxon, Holm', c['rows'][e]['wilcoxon_holm'], adjusted)

def check(c):
    tasks = [section_at(t['section']) for t in c['tasks']]; T, B = len(tasks), len(c['rows'])
    scores = np.array([[task.right[row['rows'][t]].mean() for row in c['rows']] for t, task in enumerate(tasks)])
    base = next(i for i, row in enumerate(c['rows']) if row['baseline'])
    floors = np.array([task.floor for task in tasks]); f = 1 / (1 - floors); gains = {}
    for t, task in zip(c['tasks'], tasks): expect('floor', t['floor'], task.floor); expect('ceiling', t['ceiling'], 1)
    for e, row in enumerate(c['rows']):
        expect('mean', row['mean'], scores[:, e].mean())
        expect('mean share', row['mean_share'], ((scores[:, e] - floors) * f).mean())
        for t in range(T): expect('score', row['scores'][t], scores[t, e])
        if e == base: continue
        parts = [task.gain(row['rows'][t], c['rows'][base]['rows'][t]) for t, task in enumerate(tasks)]
        d, images, models, df = (np.array([p[i] for p in parts], float) for i in range(4)); V = np.diag(images + models)
        V = shared_variance(tasks, V, [p[4] for p in parts])
        gains[e] = d, V, models, df
        expect_over('gain', row['gain'], d, V, models, df, np.full(T, 1 / T), [0] * T)
        expect_over('gain in shares', row['gain_share'], d * f, V * np.outer(f, f), models * f * f, df, np.full(T, 1 / T), [0] * T)
        marks = [task.rows[row['rows'][t]]['difference'] for t, task in enumerate(tasks)]
        expect('wins', row['wins'], sum(m['p_holm'] < .05 and m['value'] > 0 for m in marks))
        expect('losses', row['losses'], sum(m['p_holm'] < .05 and m['value'] < 0 for m in marks))
        expect('ties', row['ties'], sum(m['p_holm'] >= .05 for m in marks))
        if c['shots'] == 0 and c['fraction'] == 1:
            printed = f"{100 * d.mean():+.1f} [{100 * row['gain']['these']['low']:+.1f}, {100 * row['gain']['these']['high']:+.1f}]"
            if abs(100 * d.mean()) >= .05 and '-0.0' not in printed and '+0.0' not in printed and printed not in text:
                sys.exit(f'table.md lacks {printed}')
    others = [e for e in range(B) if e != base]
    def expect_holm(numbers):
        for kind in ('these', 'alike'):
            p = [n['p_' + kind] for n in numbers]
            if p and None not in p:
                for n, h in zip(numbers, holm(p)): expect('Holm', n['holm_' + kind], h)
    for scale in ('gain', 'gain_share'): expect_holm([c['rows'][e][scale] for e in others])
    kinds = [t['kind'] for t in c['tasks']]
    for k in c['kinds']:
        d, V, models, df = gains[k['row']]
        a = np.array([(x == k['kind']) / kinds.count(k['kind']) - (x == k['other']) / kinds.count(k['other']) for x in kinds])
        expect('gain of a kind', k['gain'], d[[x == k['kind'] for x in kinds]].mean())
        expect('gain of a kind', k['other_gain'], d[[x == k['other'] for x in kinds]].mean())
        expect_over('kinds', k['difference'], d, V, models, df, a, kinds)
    for pair in {(k['kind'], k['other']) for k in c['kinds']}:
        expect_holm([k['difference'] for k in c['kinds'] if (k['kind'], k['other']) == pair])
    check_ranks(c, scores, tasks)

# Curves -----------------------------------------------------------------------------------------------------------------

def rising(v):
    out = []
    for x in map(float, v):
        out.append([x, 1])
        while len(out) > 1 and out[-2][0] > out[-1][0]:
            b = out.pop(); a = out.pop(); out.append([(a[0] * a[1] + b[0] * b[1]) / (a[1] + b[1]), a[1] + b[1]])
    return [m for m, n in out for _ in range(n)]

def needed(labels, values, level):
    v = rising(values)
    if v[0] >= level: return labels[0]
    at = next((p for p in range(1, len(v)) if v[p] >= level), None)
    return labels[-1] if at is None else math.exp(np.interp(level, v[at - 1:at + 1], np.log(labels[at - 1:at + 1])))

def ratio_of(labels, mine, theirs):
    level = min(rising(mine)[-1], rising(theirs)[-1])
    return needed(labels, mine, level) / needed(labels, theirs, level)

def spots_of(curve):
    """Section and row of each point."""
    spots = []
    for point in curve['points']:
        for s, o in enumerate(table['sections']):
            if (o['task'], o['target'], o['shots'], o['fraction']) == (curve['task'], curve['target'], point['shots'], point['fraction']):
                spots += [(section_at(s), r) for r, row in enumerate(o['rows']) if (row['label'], row['probe']) == (curve['backbone'], curve['probe'])]
    return spots

def shared_variance(sections, V, effects):
    """V with the covariances of what sections' shared images do to either number."""
    for i, j in itertools.combinations(range(len(sections)), 2):
        known = dict(zip(sections[i].ids, effects[i]))
        cov = sum(known[k] * x for k, x in zip(sections[j].ids, effects[j]) if k in known)
        most = .95 * math.sqrt(V[i, i] * V[j, j]); V[i, j] = V[j, i] = min(most, max(-most, cov))
    return V

def expect_band(band, sections, rows):
    """Of the mean of several rows; of one model alone it is the table's percentiles."""
    parts = [section.error(section.right[r]) for section, r in zip(sections, rows)]; a = np.full(len(parts), 1 / len(parts))
    images, models, df = (np.array([p[i] for p in parts], float) for i in (1, 2, 3))
    V = shared_variance(sections, np.diag(images + models), [p[4] for p in parts])
    expect_mean('band', band, None, np.mean([p[0] for p in parts]), *sums_of(a, V, models, df))

def check_labels(curves):
    of = {}
    for curve in curves:
        if not curve['task']: continue
        spots = spots_of(curve); of.setdefault((curve['probe'], curve['backbone']), []).append((curve, spots))
        for point, (section, r) in zip(curve['points'], spots):
            expect('label curve', point['value'], section.right[r].mean())
            if len(section.right[r]) > 1: expect_band(point['band'], [section], [r])
            else:
                low, high = np.percentile(section.draws(r), (2.5, 97.5))  # right on all or none of each class: exact
                if high - low < 1e-9: low, high = clopper_pearson(int(section.right[r].sum()), len(section.ids))
                expect_interval('band', point['band'], low, high, 1.5 / len(section.ids))
    ratios, drawn = {}, {}
    for model, of_tasks in of.items():
        for curve, spots in of_tasks:
            if curve['baseline']: continue
            base, theirs = next((b, s) for key, pairs in of.items() for b, s in pairs
                                if b['baseline'] and all(b[k] == curve[k] for k in ('task', 'target', 'probe')))
            labels = [p['labels'] for p in curve['points']]
            ratio = ratio_of(labels, *([s.right[r].mean() for s, r in some] for some in (spots, theirs)))
            expect('labels needed', curve['ratio'], ratio)
            draws = np.array([[s.draws(r)[:600] for s, r in some] for some in (spots, theirs)])
            many = [ratio_of(labels, draws[0, :, n], draws[1, :, n]) for n in range(draws.shape[2])]
            expect_ratio_interval(curve['ratio_interval'], many)
            ratios.setdefault(model, []).append(math.log(ratio)); drawn.setdefault(model, []).append(np.log(many))
    for curve in curves:
        if curve['task']: continue
        model = curve['probe'], curve['backbone']; parts = [spots for _, spots in of[model]]
        for p, point in enumerate(curve['points']):
            expect('label curve over tasks', point['value'], np.mean([s[p][0].right[s[p][1]].mean() for s in parts]))
            expect_band(point['band'], [s[p][0] for s in parts], [s[p][1] for s in parts])
        if curve['baseline']: continue
        expect('labels needed over tasks', curve['ratio'], math.exp(np.mean(ratios[model])))
        expect_ratio_interval(curve['ratio_interval'], np.exp(np.mean(drawn[model], 0)))

def expect_ratio_interval(got, drawn):
    """A ratio jumps from sample to sample: the share of resamples beyond each end is what can be compared."""
    checked['labels needed, interval'] = checked.get('labels needed, interval', 0) + 1
    drawn = np.log(drawn); low, high = math.log(got['low']), math.log(got['high'])
    outside = (drawn < low - .05).mean(), (drawn > high + .05).mean(), (drawn <= low + .05).mean(), (drawn >= high - .05).mean()
    if max(outside[:2]) > .05 or min(outside[2:]) < .008:
        sys.exit(f'labels needed: {got}, but {outside} of the resamples lie below, above, at and below, at and above it')

def check_layers(curves):
    for curve in curves:
        rows = [[(o, row) for o in table['sections'] for row in o['rows'] if o['task'] == curve['task'] or not curve['task']
                 if o['shots'] == 0 and o['fraction'] == 1 and (row['backbone'], row['probe'], row['layer'], row['pool'])
                 == (curve['backbone'], curve['probe'], point['layer'], point['pool'])] for point in curve['points']]
        for point, of in zip(curve['points'], rows):
            expect('layer curve', point['value'], np.mean([row['metrics'][o['primary_metric']]['value'] for o, row in of]))

for place, section in enumerate(table['sections']):
    if section['primary_metric'] == 'accuracy' and not section['folds']: check_rows(place)
for c in table['verdict']['comparisons']:
    if c['metric'] == 'accuracy': check(c)
check_labels([curve for curve in table['verdict']['labels'] if curve['metric'] == 'accuracy'])
check_layers(table['verdict']['layers'])
print('recomputed:', ', '.join(f'{what} {n}x' for what, n in checked.items()), f'({sum(checked.values())} numbers)')
if not checked: sys.exit('nothing was compared')
