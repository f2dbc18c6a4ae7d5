#!/usr/bin/python3
"""Recomputes the verdict of a run's table from its stored scores, in numpy alone and by other means where there are any:
variances of accuracies from their formulas instead of resamples, Wilcoxon by enumeration.

Usage: check_verdict.py RUN TABLE.json TABLE.md      (vise-eval report RUN --json, and its table.md)

Comparisons of accuracies. Exact numbers agree to 1e-9, what comes from 10,000 resamples to their error. Prints what was
compared; a difference ends with exit code 1.
"""
import csv, itertools, json, math, sys
import numpy as np

run, table, text = sys.argv[1], json.load(open(sys.argv[2])), open(sys.argv[3]).read()
results = {}
for line in open(f'{run}/results.jsonl'):
    entry = json.loads(line)
    if 'key' in entry: results[entry['key']] = entry
checked = {}

def expect(what, got, wanted, tolerance=1e-9):
    checked[what] = checked.get(what, 0) + 1
    if (got is None) != (wanted is None) or (got is not None and not abs(got - wanted) <= tolerance):
        sys.exit(f'{what}: the table says {got}, recomputed {wanted} (tolerance {tolerance})')

def model(key):
    """id -> right or wrong, and id -> class."""
    scores = np.load(f"{run}/{results[key]['scores_file']}")
    with open(f"{run}/{results[key]['scores_file']}".replace('.npy', '.csv')) as file: rows = list(csv.DictReader(file))
    return {r['id']: (float(s.argmax() == int(r['target'])), int(r['target'])) for r, s in zip(rows, scores)}

def seeds_of(row):
    models = [model(k) for k in row['keys'] if results[k]['status'] == 'ok']
    return models[:1] if all(m == models[0] for m in models) else models

class Task:
    """Right or wrong, seeds x images, of every row; images in one order, with their classes."""
    def __init__(self, section, rows):
        models = [seeds_of(section['rows'][r]) for r in rows]
        self.ids = sorted(set.intersection(*(set(m) for seeds in models for m in seeds)))
        self.y = np.array([models[0][0][i][1] for i in self.ids])
        self.right = [np.array([[m[i][0] for i in self.ids] for m in seeds]) for seeds in models]

    def centred(self, x):
        x = x.astype(float).copy()
        for k in set(self.y): x[..., self.y == k] -= x[..., self.y == k].mean(-1, keepdims=True)
        return x / len(self.ids)

    def gain(self, row, other):
        a, b = self.right[row], self.right[other]
        d = a - b if len(a) == len(b) or 1 in (len(a), len(b)) else None
        effects = self.centred(d)
        k, of_mean = len(d), (effects.mean(0) ** 2).sum()  # the bootstrap's variance within classes, exactly
        if k == 1: return d.mean(), of_mean, effects.mean(0), False
        together = ((effects ** 2).sum(1).sum() - k * of_mean) / (k - 1) / k
        return d.mean(), max(0, of_mean - together) + d.mean(1).var(ddof=1) / k, effects.mean(0), True

def chi2_below(x, df):
    term = total = 1 / math.gamma(df / 2 + 1)
    for n in range(1, 400):
        term *= x / 2 / (df / 2 + n); total += term
    return (x / 2) ** (df / 2) * math.exp(-x / 2) * total

def bisect(falls, low, high):
    for _ in range(200):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if falls(middle) > 0 else (low, middle)
    return high

def exceeds(a, residuals, cov, q):
    """P[(a'e)^2 > q e'Re], by the characteristic roots of the product, which need no square root of `cov`."""
    roots = np.sort(np.linalg.eigvals((np.outer(a, a) - q * residuals) @ cov).real)
    ratio = np.maximum(0, -roots[:-1] / roots[-1])
    angles = (np.arange(20000) + 0.5) / 20000 * np.pi / 2
    square = np.sin(angles)[:, None] ** 2
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

def ranks_of(x):
    x = np.round(x, 12)
    return np.array([(x > v).sum() + ((x == v).sum() + 1) / 2 for v in x])

def holm(p):
    order = np.argsort(p, kind='stable'); out = np.zeros(len(p)); worst = 0
    for i, at in enumerate(order): worst = max(worst, min(1, (len(p) - i) * p[at])); out[at] = worst
    return out

def wilcoxon(d):
    d = d[np.abs(d) > 1e-12]
    if not len(d): return 1.0
    r = ranks_of(-np.abs(d)); w = min(r[d > 0].sum(), r[d < 0].sum())
    sums = [np.dot(r, s) for s in itertools.product((0, 1), repeat=len(d))]
    return min(1, 2 * np.mean(np.array(sums) <= w + 1e-9))

def expect_over(what, got, d, V, a, groups, has_seeds):
    """One number over tasks: value, both p-values and intervals."""
    expect(what, got['value'], a @ d)
    error = math.sqrt(a @ V @ a)
    if not has_seeds:
        half = 1.959963985 * error
        expect(what + ' these', (got['these']['high'] - got['these']['low']) / 2, half, .04 * half)
        expect(what + ' p these', got['p_these'], math.erfc(abs(a @ d) / error / math.sqrt(2)), .03)
        expect(what + ' detectable', got['detectable'], 2.801585218 * error, .04 * 2.8 * error)
    used = [t for t in range(len(d)) if a[t] != 0]
    p, half = alike(d[used], V[np.ix_(used, used)], [groups[t] for t in used], a[used])
    if p is None: return expect(what + ' p alike', got['p_alike'], None)
    expect(what + ' p alike', got['p_alike'], p, .01)
    expect(what + ' alike', (got['alike']['high'] - got['alike']['low']) / 2, half, .05 * half)

def check(c):
    sections = [table['sections'][t['section']] for t in c['tasks']]
    T, B = len(sections), len(c['rows'])
    tasks = [Task(s, [row['rows'][t] for row in c['rows']]) for t, s in enumerate(sections)]
    scores = np.array([[r.mean() for r in task.right] for task in tasks])
    base = next(i for i, row in enumerate(c['rows']) if row['baseline'])
    ranks = np.array([ranks_of(s) for s in scores])
    floors = np.array([np.bincount(task.y).max() / len(task.y) for task in tasks])
    rng = np.random.default_rng(1)
    draws = np.zeros((3000, T, B))
    for t, task in enumerate(tasks):
        for n in range(len(draws)):
            at = np.concatenate([rng.choice(np.flatnonzero(task.y == k), (task.y == k).sum()) for k in set(task.y)])
            for e, r in enumerate(task.right):
                k = len(r); values = r.mean(1); own = rng.integers(0, k, k) if e == 0 or len(own) != k else own
                noise = (values[own] - values.mean()).mean() * math.sqrt(k / (k - 1)) if k > 1 else 0
                draws[n, t, e] = r[:, at].mean() + noise
    drawn_ranks = np.array([[ranks_of(s) for s in draw] for draw in draws]).mean(1)
    means = draws.mean(1); best = np.isclose(means, means.max(1, keepdims=True)); best = (best / best.sum(1, keepdims=True)).mean(0)
    uses = np.zeros(B)
    gains = {}
    for e, row in enumerate(c['rows']):
        expect('mean', row['mean'], scores[:, e].mean())
        expect('mean share', row['mean_share'], ((scores[:, e] - floors) / (1 - floors)).mean())
        expect('mean rank', row['mean_rank'], ranks[:, e].mean())
        expect('P(best)', row['best_these'], best[e], .04)
        for end, q in (('low', 2.5), ('high', 97.5)):
            expect('rank interval', row['rank_these'][end], np.percentile(drawn_ranks[:, e], q), .26)
        if e == base: continue
        parts = [task.gain(e, base) for task in tasks]
        d = np.array([p[0] for p in parts]); V = np.diag([p[1] for p in parts]); seeds = any(p[3] for p in parts)
        for i, j in itertools.combinations(range(T), 2):
            known = dict(zip(tasks[i].ids, parts[i][2]))
            cov = sum(known[k] * x for k, x in zip(tasks[j].ids, parts[j][2]) if k in known)
            most = .95 * math.sqrt(V[i, i] * V[j, j]); V[i, j] = V[j, i] = min(most, max(-most, cov))
        gains[e] = d, V, seeds
        expect_over('gain', row['gain'], d, V, np.full(T, 1 / T), [0] * T, seeds)
        f = 1 / (1 - floors)
        expect_over('gain in shares', row['gain_share'], d * f, V * np.outer(f, f), np.full(T, 1 / T), [0] * T, seeds)
        marks = [s['rows'][row['rows'][t]]['difference'] for t, s in enumerate(sections)]
        expect('wins', row['wins'], sum(m['p_holm'] < .05 and m['value'] > 0 for m in marks))
        expect('losses', row['losses'], sum(m['p_holm'] < .05 and m['value'] < 0 for m in marks))
        expect('ties', row['ties'], sum(m['p_holm'] >= .05 for m in marks))
        if T >= 5: expect('wilcoxon', row['wilcoxon'], wilcoxon(d))
        if c['shots'] == 0 and c['fraction'] == 1:
            printed = f"{100 * d.mean():+.1f} [{100 * row['gain']['these']['low']:+.1f}, {100 * row['gain']['these']['high']:+.1f}]"
            if abs(100 * d.mean()) >= .05 and '-0.0' not in printed and '+0.0' not in printed and printed not in text:
                sys.exit(f'table.md lacks {printed}')
    others = [e for e in range(B) if e != base]
    for kind in ('these', 'alike'):
        p = [c['rows'][e]['gain']['p_' + kind] for e in others]
        if None not in p:
            for e, h in zip(others, holm(p)): expect('holm', c['rows'][e]['gain']['holm_' + kind], h)
    for k in c['kinds']:
        d, V, seeds = gains[k['row']]; kinds = [t['kind'] for t in c['tasks']]
        a = np.array([(x == k['kind']) / kinds.count(k['kind']) - (x == k['other']) / kinds.count(k['other']) for x in kinds])
        expect('gain of a kind', k['gain'], d[[x == k['kind'] for x in kinds]].mean())
        expect_over('kinds', k['difference'], d, V, a, kinds, seeds)
    if T < 5: return expect('critical difference', c['critical_difference'], None)
    mean = ranks.mean(0); ties = sum(n ** 3 - n for r in ranks for n in np.unique(r, return_counts=True)[1])
    chi2 = 12 * T / B / (B + 1) * ((mean - (B + 1) / 2) ** 2).sum() / (1 - ties / (T * B * (B * B - 1))) if B > 2 else None
    expect('friedman', c['friedman']['chi2'], chi2)
    if chi2: expect('iman davenport', c['friedman']['f'], (T - 1) * chi2 / (T * (B - 1) - chi2))
    pairs = [(i, j) for i in range(B) for j in range(i)]
    for (i, j), p in zip(pairs, holm([wilcoxon(scores[:, i] - scores[:, j]) for i, j in pairs])):
        expect('pairs', c['pairs'][i][j], p)

def rising(v):
    v = list(map(float, v)); out = []
    for x in v:
        out.append([x, 1])
        while len(out) > 1 and out[-2][0] > out[-1][0]:
            b = out.pop(); a = out.pop(); out.append([(a[0] * a[1] + b[0] * b[1]) / (a[1] + b[1]), a[1] + b[1]])
    return [m for m, n in out for _ in range(n)]

def needed(labels, values, level):
    v = rising(values)
    if v[0] >= level: return labels[0]
    at = next((p for p in range(1, len(v)) if v[p] >= level), None)
    return labels[-1] if at is None else math.exp(np.interp(level, v[at - 1:at + 1], np.log(labels[at - 1:at + 1])))

for c in table['verdict']['comparisons']:
    if c['metric'] == 'accuracy': check(c)
ratios = {}
for curve in table['verdict']['labels']:
    if curve['baseline'] or not curve['task']: continue
    base = next(b for b in table['verdict']['labels'] if b['baseline'] and all(b[k] == curve[k] for k in ('task', 'target', 'probe')))
    labels = [p['labels'] for p in curve['points']]; a = [p['value'] for p in curve['points']]; b = [p['value'] for p in base['points']]
    level = min(rising(a)[-1], rising(b)[-1])
    ratio = needed(labels, a, level) / needed(labels, b, level)
    expect('labels', curve['ratio'], ratio)
    ratios.setdefault((curve['backbone'], curve['probe']), []).append(ratio)
for curve in table['verdict']['labels']:
    if not curve['task'] and not curve['baseline']:
        expect('labels over tasks', curve['ratio'], math.exp(np.log(ratios[curve['backbone'], curve['probe']]).mean()))
print('recomputed:', ', '.join(f'{k} {n}x' for k, n in checked.items()))
if not checked: sys.exit('nothing was compared')
