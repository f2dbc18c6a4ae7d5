#!/usr/bin/env python3
"""everybody.py MAKE_SAMPLE_PAGE AXE.js: is the page for everybody?

In Chromium, at the sizes of a desk, a tablet and a phone, light and dark: nothing complains, nothing is wider than the
window, axe-core finds nothing, the keyboard reaches what the pointer does, figures are saved whole, and a study of 3000
rows stays small, quick and short to tab through.
"""
import os
import subprocess
import sys
import tempfile
import xml.dom.minidom

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from chromium import Browser, find  # noqa: E402

SIZES = [(1280, False), (1280, True), (768, False), (768, True), (400, False), (400, True)]
failures = []


def check(holds, what):
    if not holds:
        failures.append(what)
        print('FAILED', what)


def violations(page, axe):
    page.evaluate(axe + ';0')
    return page.evaluate(
        "axe.run(document, {resultTypes: ['violations']}).then((r) => r.violations.map((v) =>"
        " v.id + ': ' + v.nodes.slice(0, 3).map((n) => n.html.slice(0, 200) + ' ' + n.failureSummary).join('; ')))")


def text_contrast(page):
    """The least contrast of any text on the ground it stands on, by WCAG's formula: axe passes over SVG."""
    return page.evaluate("""(() => {
      const part = (c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
      const light = (c) => 0.2126 * part(c[0]) + 0.7152 * part(c[1]) + 0.0722 * part(c[2]);
      const read = (text) => text.match(/[\\d.]+/g).map(Number);
      const over = (top, ground) => ground.map((g, i) => g + (top[i] - g) * (top[3] ?? 1));
      let least = [21, ''];
      for (const text of document.querySelectorAll('svg text')) {
        if (!text.textContent) continue;
        let ground = read(getComputedStyle(text.closest('section')).backgroundColor).slice(0, 3);
        const cell = text.parentNode.querySelector('rect');
        if (text.dataset.shade) ground = over(read(getComputedStyle(cell).fill), ground);
        const [a, b] = [light(read(getComputedStyle(text).fill)), light(ground)].sort((x, y) => y - x);
        const contrast = (a + 0.05) / (b + 0.05);
        if (contrast < least[0]) least = [contrast, text.textContent];
      }
      return least; })()""")


def look_at_every_size(page, address, axe, before=None):
    for width, dark in SIZES:
        where = f"{width} px, {'dark' if dark else 'light'}"
        page.size(width, dark=dark)
        page.open(address)
        if before:
            before(page)
        check(not page.complaints(), f'{where}: the console says {page.complaints()[:1]}')
        over = page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')
        check(over <= 0, f'{where}: {over} pixels stand out of the window')
        contrast = text_contrast(page)
        check(contrast[0] >= 4.5, f'{where}: contrast {contrast[0]:.2f} of {contrast[1]!r}')
        told = page.evaluate("""[...document.querySelectorAll('.scroll')].every((frame) =>
          frame.scrollWidth <= frame.clientWidth + 1 || getComputedStyle(frame.nextSibling).display !== 'none')""")
        check(told, f'{where}: a table scrolls and does not say so')
        if axe:
            for found in violations(page, axe):
                check(False, f'{where}: axe-core: {found}')


def tables_are_announced(page):
    check(page.evaluate("[...document.querySelectorAll('table')].every((t) => t.caption && t.caption.textContent)"),
          'a table has no caption')
    check(page.evaluate("[...document.querySelectorAll('th')].every((h) => ['row', 'col'].includes(h.scope))"),
          'a head has no scope')


def points_lie_within_axes(page):
    check(page.evaluate("""[...document.querySelectorAll('figure svg')].every((svg) => {
      const box = svg.viewBox.baseVal, frame = svg.getBoundingClientRect(), scale = frame.width / box.width;
      return [...svg.querySelectorAll('.mark path, .mark circle, .mark rect')].every((m) => {
        const b = m.getBoundingClientRect();
        return b.left >= frame.left - 1 && b.right <= frame.right + 1 && b.top >= frame.top - 1
          && b.bottom <= frame.top + box.height * scale + 1; }); })"""), 'a mark lies outside its drawing')


def series_differ_in_shape(page):
    check(page.evaluate("""(() => { const svg = [...document.querySelectorAll('figure')].find((f) =>
        f.querySelector('h3').textContent.startsWith('Sweep')).querySelector('svg');
      const of = {};
      for (const p of svg.querySelectorAll('.mark path')) (of[p.getAttribute('fill')] ||= new Set()).add(p.getAttribute('d'));
      const shapes = Object.values(of).map((set) => [...set].join());
      return shapes.length > 1 && new Set(shapes).size === shapes.length; })()"""), 'two series share a shape')


def figures_are_saved(page):
    saved = page.evaluate("""(() => { const texts = [], names = [];
      URL.createObjectURL = (blob) => { texts.push(blob.text()); return '#'; };
      HTMLAnchorElement.prototype.click = function () { names.push(this.download); };
      document.querySelectorAll('button.save').forEach((button) => button.click());
      return Promise.all(texts).then((all) => [all, names, document.querySelectorAll('figure svg').length]); })()""")
    texts, names, figures = saved
    check(len(texts) == figures == len(set(names)) > 4, f'{figures} figures, {len(texts)} saved as {len(set(names))} names')
    for text in texts:
        root = xml.dom.minidom.parseString(text).documentElement
        check(root.tagName == 'svg', 'not SVG')
        for element in root.getElementsByTagName('*'):
            check('var(' not in element.getAttribute('fill') + element.getAttribute('stroke'), 'a colour is left to a style')
    check(all(name.endswith('.svg') for name in names), 'a file has another ending')


def the_keyboard_suffices(page):
    page.press('Tab')
    check(page.evaluate('document.activeElement.id') == 'baseline', 'the first stop is not the baseline')
    page.evaluate("document.querySelector('thead button').focus()")
    page.press('Enter')
    check(page.evaluate("document.querySelector('th').getAttribute('aria-sort')") != 'none', 'Enter does not sort')
    page.evaluate("document.querySelector('td.difference.stop[tabindex=\"0\"]').focus()")
    first = page.evaluate("document.getElementById('tip').textContent")
    page.press('ArrowDown')
    second = page.evaluate("document.getElementById('tip').textContent")
    check('against' in first and 'against' in second and first != second, 'arrows do not lead along differences')
    page.press('Escape')
    check(page.evaluate("document.getElementById('tip').hidden"), 'Escape leaves the tooltip')
    stops = page.evaluate("document.querySelectorAll('table [tabindex=\"0\"]').length")
    check(stops == page.evaluate("[...document.querySelectorAll('table')].filter((t) => t.querySelector('.stop')).length"),
          'differences are more than a stop a table')


def open_wins(page):
    page.evaluate("document.querySelectorAll('details.wins').forEach((fold) => { fold.open = true; });"
                  "new Promise((done) => setTimeout(done, 200))")


def images_are_won_by_keyboard(page):
    """Who wins which image: opened, sorted and turned round by keys alone; the counts are those of McNemar's tooltip."""
    wins = "document.querySelector('#section-0 details.wins')"
    counts = page.evaluate("/ alone is right on (\\d+) of .* alone on (\\d+)$/.exec(%s.querySelector('summary').textContent).slice(1).map(Number)" % wins)
    page.evaluate("document.querySelector('#section-0 details.wins summary').focus()")
    page.press('Enter')
    page.evaluate("new Promise((done) => setTimeout(done, 200))")
    column = "[...document.querySelectorAll('#section-0 .wins tbody tr')].map((row) => row.cells[%d].textContent)"
    alone = page.evaluate(column % 4)
    check(len(counts) == 2 and len(alone) == min(40, sum(counts)) and sum(counts) > 0, f'{len(alone)} images are listed of {counts}')
    check(alone == sorted(alone, key=lambda name: name != alone[0]), 'the images of one winner do not stand together')
    page.evaluate("document.querySelectorAll('#section-0 .wins thead button')[0].focus()")
    page.press('Enter')
    names = page.evaluate(column % 0)
    check(page.evaluate("document.querySelector('#section-0 .wins th').getAttribute('aria-sort')") == 'ascending'
          and len(names) == len(alone), 'Enter does not sort the images')
    check(page.evaluate("document.activeElement.closest('.wins thead') !== null"), 'sorting loses the focus')
    page.evaluate("""(() => { const select = document.querySelector('#section-0 .wins select');
      select.value = [...select.options].find((o) => !o.selected).value; select.dispatchEvent(new Event('change')); })()""")
    check(page.evaluate("document.querySelector('#section-0 .wins').open"), 'another row closes the list')
    check(not page.complaints(), f'wins: {page.complaints()[:1]}')


def a_verdict_draws_its_curves(page):
    titles = page.evaluate("[...document.querySelectorAll('#verdict figure h3')].map((h) => h.textContent)")
    check(titles == ['Mean ranks', 'Label efficiency', 'Layers'], f'the verdict draws {titles}')
    check('Layers' in page.evaluate("[...document.querySelectorAll('#section-0 figure h3')].map((h) => h.textContent)"),
          'a task lacks its curve over layers')
    layers = page.evaluate("""(() => { const figure = [...document.querySelectorAll('#verdict figure')][2];
      return [figure.querySelectorAll('path.line').length, figure.querySelectorAll('.mark').length,
              [...figure.querySelectorAll('svg > text')].map((t) => t.textContent)]; })()""")
    check(layers[0] == 2 and layers[1] == 6, f'the curves over layers have {layers[:2]} lines and marks')
    check(all(name in layers[2] for name in ('layer2', 'layer3', 'final')), f'layers are called {layers[2]}')
    # Bands hold their lines.
    check(page.evaluate("""[...document.querySelectorAll('#verdict figure')].slice(1).every((figure) =>
      figure.querySelectorAll('svg > path[opacity]').length === figure.querySelectorAll('path.line').length)"""), 'a curve has no band')


def a_study_stays_usable(page, address, file):
    check(os.path.getsize(file) < 3_000_000, f'the page has {os.path.getsize(file)} bytes')
    page.size(1280)
    page.call('Performance.enable', timeDomain='threadTicks')
    page.open(address)
    check(not page.complaints(), f'large: {page.complaints()[:1]}')
    # Of the page's own thread, so that a busy machine changes nothing: it paints once its script has run.
    spent = {m['name']: m['value'] for m in page.call('Performance.getMetrics')['metrics']}
    busy = spent['ScriptDuration'] + spent['LayoutDuration'] + spent['RecalcStyleDuration']
    paint = page.evaluate("(performance.getEntriesByName('first-contentful-paint')[0] || { startTime: -1 }).startTime")
    print(f"large: {os.path.getsize(file)} bytes, {busy:.2f} s of script, style and layout, {paint / 1000:.2f} s to first paint by the clock")
    check(busy < 1, f'{busy:.2f} s until it paints')
    rows = page.evaluate("document.querySelectorAll('details.group').length")
    check(page.evaluate("!!document.querySelector('#verdict table.matrix') && !!document.querySelector('#verdict figure .clique')"),
          'the page does not begin with its answer')
    check(rows == 20, f'{rows} folds for 20 tasks')
    check(page.evaluate("document.querySelectorAll('section[id^=section-]').length") == 100, 'not every table has its place')
    check(page.evaluate("document.querySelectorAll('section[id^=section-] table.results').length") == 1, 'more than the first is drawn')
    check(page.evaluate("document.querySelector('section[id^=section-] h2').textContent.includes('a class')") is False,
          'a few-shot table stands before the full one')
    for stop in range(1, 101):
        page.press('Tab')
        if page.evaluate("!!document.activeElement.closest('table')"):
            break
    print(f'large: {stop} tab stops to the first table')
    check(stop < 100, 'too many tab stops before the first table')
    page.evaluate("document.querySelector('nav.contents a').focus()")
    page.press('ArrowRight')
    page.press('ArrowRight')
    name = page.evaluate('document.activeElement.getAttribute("href")')
    page.press('Enter')
    check(page.evaluate(f"!!document.querySelector('{name} table.results tbody tr')"), 'a link of the contents opens nothing')
    page.evaluate("document.querySelectorAll('details.group').forEach((group) => { group.open = true; })")
    page.evaluate("document.querySelectorAll('details.folded').forEach((fold, i) => { if (i % 20 === 3) fold.open = true; });"
                  "new Promise((done) => setTimeout(done, 500))")
    drawn = page.evaluate("document.querySelectorAll('section[id^=section-] table.results').length")
    check(drawn >= 6, f'{drawn} tables are drawn after folds were opened')
    check(not page.complaints(), f'large: {page.complaints()[:1]}')


def main():
    make, axe_file = sys.argv[1:3]
    if not find():
        print('skipped: no chromium in PATH (apt-get install chromium)')
        return 77
    axe = open(axe_file).read() if os.path.exists(axe_file) else None
    with tempfile.TemporaryDirectory() as folder, Browser() as page:
        small, study, large = (os.path.join(folder, name) for name in ('small.html', 'study.html', 'large.html'))
        subprocess.run([make, small], check=True)
        subprocess.run([make, study, 'study'], check=True)
        subprocess.run([make, large, 'large'], check=True)
        look_at_every_size(page, 'file://' + small, axe, open_wins)
        look_at_every_size(page, 'file://' + study, axe, open_wins)
        page.size(1280)
        page.open('file://' + small)
        for ask in (tables_are_announced, points_lie_within_axes, series_differ_in_shape, the_keyboard_suffices,
                    figures_are_saved):
            ask(page)
        page.open('file://' + small)
        images_are_won_by_keyboard(page)
        page.open('file://' + study)
        for ask in (a_verdict_draws_its_curves, points_lie_within_axes, series_differ_in_shape, tables_are_announced):
            ask(page)
        a_study_stays_usable(page, 'file://' + large, large)
    if failures:
        return 1
    if not axe:
        print('all holds; skipped: axe-core (./dev setup fetches it with npm)')
    return 0


sys.exit(main())
