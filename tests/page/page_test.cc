// The page in a real browser: Chromium, headless, without a network. Skipped where there is none.
//
// The test adds a script to a copy of the page that clicks, hovers and reads, and leaves what it saw in an attribute of
// the document; --dump-dom brings it back. Console messages come on stderr.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/error.h"
#include "base/text.h"
#include "reports/gallery.h"
#include "reports/metric_names.h"
#include "reports/won_images.h"
#include "tests/page/sample_report.h"
#include "tests/shared.h"

namespace vise {
namespace {

std::string chromium() {
  for (const char* name : {"chromium", "chromium-browser", "google-chrome"})
    for (const std::string& folder : split(std::getenv("PATH") ? std::getenv("PATH") : "", ':'))
      if (std::filesystem::exists(Path(folder) / name)) return (Path(folder) / name).string();
  return {};
}

std::string percent_decoded(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      result += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
      i += 2;
    } else {
      result += text[i];
    }
  }
  return result;
}

// The page of other numbers.
std::string with_data(std::string page, const Json& data) {
  std::string text;
  for (const char c : data.dump()) text += c == '<' ? "\\u003c" : std::string(1, c);
  const std::string begin = "id=\"data\">";
  const auto from = page.find(begin) + begin.size();
  return page.replace(from, page.find("</script>", from) - from, text);
}

// What the script saw.
constexpr std::string_view kProbe = R"JS(
(() => {
  const out = {};
  const all = (selector, root) => [...(root || document).querySelectorAll(selector)];
  const cells = () => all('section.task').map((section) => all('tbody tr', section).map((row) => ({
    row: Number(row.dataset.row), name: row.cells[0].firstChild.textContent, baseline: row.classList.contains('baseline'),
    values: Object.fromEntries(all('td[data-metric]', row).map((c) => [c.dataset.metric, c.querySelector('.value').textContent])),
    difference: row.querySelector('.difference') ? row.querySelector('.difference').textContent : '' })));
  const hover = (element) => {
    const box = element.getBoundingClientRect();
    element.dispatchEvent(new PointerEvent('pointermove', { bubbles: true, clientX: box.left + 2, clientY: box.top + 2 }));
    const tip = document.getElementById('tip');
    return tip.hidden ? null : tip.textContent;
  };
  try {
    out.title = document.title;
    out.scripts = document.scripts.length;
    out.resources = performance.getEntriesByType('resource').length;
    out.headings = all('h2').map((h) => h.textContent);
    out.first = cells();
    out.overflow = document.documentElement.scrollWidth - document.documentElement.clientWidth;
    out.ground = getComputedStyle(document.body).backgroundColor;
    out.tiles = all('#section-0 .tile').map((tile) => tile.querySelector('img') ? tile.querySelector('img').naturalWidth : -1);
    out.maps = all('#section-0 .tile').map((tile) => all('img', tile).map((i) => [i.src, i.naturalWidth]));
    const maps = document.querySelector('#section-0 .toggle input');
    if (maps) {
      maps.click();
      out.without_maps = all('#section-0 .tile').map((tile) => all('img', tile).map((i) => i.src));
      document.querySelector('#section-0 .toggle input').click();
    }
    const kinds = document.querySelector('#section-0 .toggle select');
    if (kinds) {
      out.kinds = all('option', kinds).map((o) => o.textContent);
      kinds.value = 'attention_rollout';
      kinds.dispatchEvent(new Event('change'));
      out.rollout = { tip: hover(document.querySelector('#section-0 .tile')), key: document.querySelector('#section-0 .gallery').textContent,
        maps: all('#section-0 .tile').map((tile) => all('img', tile).map((i) => [i.src, i.naturalWidth])) };
    }
    out.charts = all('#section-0 figure h3').map((h) => h.textContent);
    out.tips = { difference: hover(document.querySelector('td.difference[data-tip]')), bar: hover(document.querySelector('figure g.mark')),
                 none: hover(document.querySelector('h1')), marks: all('#section-0 .mark').every((m) => hover(m)) };
    const header = all('#section-0 thead button').find((b) => b.textContent === 'accuracy');
    header.click();
    out.sorted = cells()[0];
    out.aria = all('#section-0 th').map((h) => h.getAttribute('aria-sort'));
    all('#section-0 thead button').find((b) => b.textContent === 'accuracy').click();
    out.sorted_up = cells()[0];
    const chooser = document.getElementById('baseline');
    chooser.value = 'vise-250m';
    chooser.dispatchEvent(new Event('change'));
    out.switched = cells();
    const picker = document.querySelector('#section-0 .picker select');
    picker.value = '4';
    picker.dispatchEvent(new Event('change'));
    out.wins = document.querySelector('#section-0 details.wins summary').textContent;
    out.picked = document.querySelector('#section-0 .picker select').value;
    const press = (key) => document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
    const sweep = all('#section-0 figure')[1], shown = () => (document.getElementById('tip').hidden ? null : document.getElementById('tip').textContent);
    sweep.querySelector('.mark').focus();
    out.keys = { stops: all('[tabindex="0"]', sweep).length, marks: all('.mark', sweep).length, first: shown() };
    press('ArrowRight');
    out.keys.second = shown();
    out.keys.stop = all('.mark', sweep).indexOf(sweep.querySelector('[tabindex="0"]'));
    press('Escape');
    out.keys.escaped = shown();
    out.efficiency = all('figure').filter((f) => f.querySelector('h3').textContent === 'Label efficiency').map((f) =>
      [all('path.line', f).length, all('.mark', f).length, all('.mark line', f).length, all('.axis text', f).map((t) => t.textContent)]);
    out.list = all('#section-0 figure table tbody tr').map((row) => [...row.cells].map((c) => c.textContent));
    try { out.evaluates = new Function('return true')(); } catch (error) { out.evaluates = false; }
  } catch (error) { out.error = String(error.stack || error); }
  document.documentElement.setAttribute('data-seen', encodeURIComponent(JSON.stringify(out)));
})();
)JS";

class Page : public testing::Test {
 protected:
  void SetUp() override {
    browser_ = chromium();
    if (browser_.empty()) GTEST_SKIP() << "skipped: no chromium in PATH (apt-get install chromium)";
    report_.emplace(test::sample_report(dir_ / "run"));
  }

  // Opens the page with the probe in a frame of `width` pixels (0: the window itself, 1280 wide).
  // With `data` in place of the report's own.
  Json look(const std::string& flags = "", int width = 0, const std::optional<Json>& data = {}) {
    std::string page = data ? with_data(reports::to_html(*report_), *data) : reports::to_html(*report_);
    page.insert(page.rfind("</body>"), fmt::format("<script>{}</script>", kProbe));
    write_file_atomically(dir_ / "page.html", page);
    std::string start = "page.html";
    if (width > 0) {  // a window can't be narrower than 500 pixels, a frame can
      write_file_atomically(
          dir_ / "frame.html",
          fmt::format("<iframe src='page.html' style='width:{}px;height:900px'></iframe><script>onload = () => "
                      "document.documentElement.setAttribute('data-seen', document.querySelector('iframe')"
                      ".contentDocument.documentElement.getAttribute('data-seen'))</script>",
                      width));
      start = "frame.html";
    }
    return seen(flags, start);
  }

  Json seen(const std::string& flags, const std::string& start) {
    const std::string command = fmt::format(
        "cd '{0}' && timeout 60 '{1}' --headless --no-sandbox --disable-gpu --disable-background-networking "
        "--disable-component-update "
        "--disable-sync --no-first-run --disable-quic --user-data-dir='{0}/profile' --allow-file-access-from-files "
        "--host-resolver-rules='MAP * ~NOTFOUND' --enable-logging=stderr --window-size=1280,1000 {2} --dump-dom "
        "'file://{0}/{3}' "
        "> dom.txt 2> log.txt",
        dir_.path().string(), browser_, flags, start);
    if (std::system(command.c_str()) != 0)
      throw Error(ErrorKind::system, "chromium failed: " + read_text_file(dir_ / "log.txt"));
    console_ = read_text_file(dir_ / "log.txt");
    const std::string dom = read_text_file(dir_ / "dom.txt"), mark = "data-seen=\"";
    const auto begin = dom.find(mark);
    if (begin == std::string::npos) throw Error(ErrorKind::system, "the script left nothing: " + console_);
    return parse_json(
        percent_decoded(dom.substr(begin + mark.size(), dom.find('"', begin + mark.size()) - begin - mark.size())),
        "page");
  }

  void expect_shows_the_results(const Json& sections) const {
    ASSERT_EQ(sections.size(), report_->table.sections.size());
    for (std::size_t s = 0; s < sections.size(); ++s) {
      const reports::TableSection& section = report_->table.sections[s];
      ASSERT_EQ(sections[s].size(), section.rows.size());
      for (std::size_t r = 0; r < section.rows.size(); ++r) {
        EXPECT_EQ(sections[s][r]["name"], section.rows[r].backbone);
        if (section.rows[r].failed) continue;
        const experiments::Result& result = report_->table.results[section.rows[r].results.front()];
        for (const std::string& metric : section.shown)
          EXPECT_EQ(sections[s][r]["values"][metric],
                    reports::metric_text(reports::metric_name(metric), result.metrics.at(metric), section.sizes.test));
      }
    }
  }

  test::ScratchDir dir_;
  std::string browser_, console_;
  std::optional<reports::Report> report_;
};

TEST_F(Page, ShowsSortsSwitchesAndExplainsWithoutNetworkOrError) {
  const Json page = look();
  ASSERT_FALSE(page.contains("error")) << page["error"];
  EXPECT_EQ(console_.find("CONSOLE"), std::string::npos) << console_;
  EXPECT_EQ(page["resources"], 0);
  EXPECT_EQ(page["title"], "vise-eval report");
  EXPECT_EQ(page["scripts"], 3);  // the data, the page's own and the test's: no name became a script
  EXPECT_NE(page["headings"][0].get<std::string>().find(test::kHostileClass), std::string::npos);
  EXPECT_LE(page["overflow"].get<int>(), 0);
  EXPECT_EQ(page["charts"], Json({"accuracy on test", "Sweep of C", "Cost", "Confusion matrix", "Reliability"}));
  expect_shows_the_results(page["first"]);

  const auto values = [](const Json& rows) {
    std::vector<double> list;
    for (const Json& row : rows)
      if (row["values"].contains("accuracy")) list.push_back(std::stod(row["values"]["accuracy"].get<std::string>()));
    return list;
  };
  EXPECT_TRUE(std::ranges::is_sorted(values(page["sorted"]), std::greater{}));
  EXPECT_TRUE(std::ranges::is_sorted(values(page["sorted_up"])));
  EXPECT_EQ(page["sorted"].back()["values"], Json::object());  // the failed row stays last
  EXPECT_EQ(page["sorted_up"].back()["values"], Json::object());
  EXPECT_EQ(page["aria"][2], "descending");
  EXPECT_EQ(page["picked"], "4");

  EXPECT_NE(page["tips"]["difference"].get<std::string>().find("McNemar, exact: p"), std::string::npos) << page["tips"];
  EXPECT_NE(page["tips"]["bar"].get<std::string>().find("95 % interval"), std::string::npos) << page["tips"];
  EXPECT_TRUE(page["tips"]["none"].is_null());
  EXPECT_EQ(page["tips"]["marks"], true);
  EXPECT_EQ(page["evaluates"], false);  // the page's policy allows no text to become code
}

// Of a chart's many marks one is a tab stop; arrows lead to the others, and Escape takes the tooltip away.
TEST_F(Page, ArrowKeysLeadAlongAChartsMarks) {
  const Json keys = look()["keys"];
  EXPECT_EQ(keys["stops"], 1);
  EXPECT_GT(keys["marks"], 60);  // six rows of 11 candidates
  EXPECT_NE(keys["first"].get<std::string>().find("C = 0.000001"), std::string::npos) << keys;
  EXPECT_NE(keys["second"].get<std::string>().find("C = 0.00001\n"), std::string::npos) << keys;
  EXPECT_EQ(keys["stop"], 1);
  EXPECT_TRUE(keys["escaped"].is_null());
}

TEST_F(Page, LabelEfficiencyHasALineARowWithIntervals) {
  const Json page = look();
  ASSERT_EQ(page["efficiency"].size(), 1u);  // in the first of the task's sections alone
  const Json& chart = page["efficiency"][0];
  EXPECT_EQ(chart[0], 2);
  EXPECT_EQ(chart[1], 6);
  EXPECT_EQ(chart[2], 6);
  for (const char* images : {"2", "8", "32"}) EXPECT_EQ(std::ranges::count(chart[3], Json(images)), 1) << chart[3];
}

TEST_F(Page, SweepsHaveAChartAParameter) {
  Json data = reports::page_json(*report_);
  for (Json& row : data["sections"][0]["rows"])
    if (row["probe"] == "knn")
      for (Json& candidate : row["curve"]) candidate["parameters"] = {{"k", 10}};
  const Json page = look("", 0, data);
  ASSERT_FALSE(page.contains("error")) << page["error"];
  EXPECT_EQ(std::ranges::count(page["charts"], Json("Sweep of C")), 1) << page["charts"];
  EXPECT_EQ(std::ranges::count(page["charts"], Json("Sweep of k")), 1) << page["charts"];
}

// A matrix of 41 classes and more would be unreadable.
TEST_F(Page, OfManyClassesListsTheMostFrequentConfusions) {
  constexpr std::size_t kClasses = 41;
  Json data = reports::page_json(*report_);
  Json &section = data["sections"][0], confusion = Json::array(), names = Json::array();
  for (std::size_t i = 0; i < kClasses; ++i) names.push_back(fmt::format("bird {}", i));
  for (std::size_t i = 0; i < kClasses * kClasses; ++i) confusion.push_back(i % (kClasses + 1) == 0 ? 50 : 0);
  confusion[3 * kClasses + 7] = 9;
  confusion[1] = 4;
  section["class_names"] = names;
  for (Json& row : section["rows"]) row["confusion"] = confusion;
  const Json page = look("", 0, data);
  ASSERT_FALSE(page.contains("error")) << page["error"];
  EXPECT_EQ(page["list"], Json({{"bird 3", "bird 7", "9"}, {"bird 0", "bird 1", "4"}}));
}

// Of the row whose details are chosen, here the baseline's, against the first other.
TEST_F(Page, SaysHowManyImagesOnlyOneOfTwoGetsRight) {
  const std::vector<reports::WonImage> won = reports::won_images(report_->evidence[0], 4, 0);
  const auto by_row = std::ranges::count(won, true, &reports::WonImage::by_row);
  ASSERT_GT(by_row, 0);
  const Json page = look();
  ASSERT_FALSE(page.contains("error")) << page["error"];
  EXPECT_EQ(page["wins"],
            fmt::format("Who wins which image: vise-250m / knn alone is right on {} of 240 test images, resnet18 / "
                        "logreg alone on {}",
                        by_row, won.size() - static_cast<std::size_t>(by_row)));
}

TEST_F(Page, SwitchedBaselineShowsWhatTheProgramComputesForIt) {
  const Json page = look();
  reports::Report other = *report_;
  reports::switch_baseline(other, "vise-250m");
  for (std::size_t s = 1; s < other.table.sections.size(); ++s)  // section 0 was sorted by the test
    for (std::size_t r = 0; r < other.table.sections[s].rows.size(); ++r) {
      const reports::TableSection& section = other.table.sections[s];
      const reports::TableRow& row = section.rows[r];
      const std::string text = page["switched"][s][r]["difference"];
      EXPECT_EQ(text == "baseline", row.is_baseline);
      if (!row.difference) continue;
      const reports::MetricName metric = reports::metric_name(section.primary_metric);
      EXPECT_TRUE(text.starts_with(reports::difference_text(metric, row.difference->value, section.sizes.test)))
          << text;
      EXPECT_EQ(text.find(" ns") == std::string::npos, row.difference->survives) << text;
    }
}

TEST_F(Page, FitsAPhone) {
  const Json page = look("", 390);
  ASSERT_FALSE(page.contains("error")) << page["error"];
  EXPECT_EQ(console_.find("CONSOLE"), std::string::npos) << console_;
  EXPECT_LE(page["overflow"].get<int>(), 0);
  expect_shows_the_results(page["first"]);
}

TEST_F(Page, IsDarkWhereTheReaderLikesIt) {
  EXPECT_EQ(look("--blink-settings=preferredColorScheme=1")["ground"], "rgb(247, 247, 245)");
  EXPECT_EQ(look("--blink-settings=preferredColorScheme=0")["ground"], "rgb(19, 21, 25)");
}

constexpr const char* kOnePixel = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7";

constexpr const char* kThreePixels =
    "data:image/gif;base64,R0lGODlhAwABAIAAAAAAAP///yH5BAEAAAAALAAAAAADAAEAAAIChAsAOw==";

constexpr const char* kTwoPixels = "data:image/gif;base64,R0lGODlhAgABAIAAAAAAAP///yH5BAEAAAAALAAAAAACAAEAAAICBAoAOw==";

// The row's own map beside the baseline's, in the picture itself; a toggle takes both away.
TEST_F(Page, LaysActivationMapsOverTheGallery) {
  report_->thumbnails.resize(report_->table.sections.size());
  report_->maps.resize(report_->table.sections.size());
  const std::vector<std::vector<std::string>> ids = reports::gallery_ids(*report_);
  for (const std::string& id : ids[0]) report_->thumbnails[0][id] = kOnePixel;
  const std::set<reports::MapKey> wanted =
      reports::wanted_maps(report_->table.sections[0], report_->evidence[0], reports::kGalleryImages);
  for (const reports::MapKey& key : wanted) report_->maps[0][key] = {kTwoPixels, 0.5, 4};
  const Json page = look();
  ASSERT_FALSE(page.contains("error")) << page["error"];
  EXPECT_EQ(console_.find("CONSOLE"), std::string::npos) << console_;
  ASSERT_EQ(page["maps"].size(), 2 * reports::kGalleryImages);
  // Row 0 is the baseline: one picture a tile, nothing beside it.
  for (const Json& tile : page["maps"]) EXPECT_EQ(tile, Json::array({Json::array({kTwoPixels, 2})}));
  ASSERT_EQ(page["without_maps"].size(), 2 * reports::kGalleryImages);
  for (const Json& tile : page["without_maps"]) EXPECT_EQ(tile, Json::array({kOnePixel}));
}

// A transformer's attention, under its own names; a network without a class token says so.
TEST_F(Page, NamesAttentionApartFromClassActivationMaps) {
  report_->thumbnails.resize(report_->table.sections.size());
  report_->maps.resize(report_->table.sections.size());
  report_->attention.resize(report_->table.sections.size());
  const std::vector<std::vector<std::string>> ids = reports::gallery_ids(*report_);
  const experiments::Cell& cell = report_->table.sections[0].rows[0].cell;
  reports::NetworkAttention attention;
  for (const std::string& id : ids[0]) {
    report_->thumbnails[0][id] = kOnePixel;
    attention.images[id] = {{kTwoPixels, 0.1F, 0.3F, 0.7}, {kThreePixels, 0.1F, 0.4F, 0.7}};
  }
  report_->attention[0][{cell.backbone, cell.layer}] = attention;
  for (const reports::MapKey& key :
       reports::wanted_maps(report_->table.sections[0], report_->evidence[0], reports::kGalleryImages))
    report_->maps[0][key] = {kTwoPixels, 0.5, 4};
  Json page = look();
  ASSERT_FALSE(page.contains("error")) << page["error"];
  EXPECT_EQ(console_.find("CONSOLE"), std::string::npos) << console_;
  EXPECT_EQ(page["kinds"], Json::array({"class activation maps", "attention of the last block\u2019s class token",
                                        "attention rollout"}));
  ASSERT_EQ(page["rollout"]["maps"].size(), 2 * reports::kGalleryImages);
  for (const Json& tile : page["rollout"]["maps"]) EXPECT_EQ(tile[0][0], kThreePixels);
  EXPECT_NE(page["rollout"]["tip"].get<std::string>().find("attention rollout"), std::string::npos);
  EXPECT_NE(page["rollout"]["tip"].get<std::string>().find("70.0 % goes to places; from 10.00 to 40.00 % a place"),
            std::string::npos)
      << page["rollout"]["tip"];
  EXPECT_NE(page["rollout"]["key"].get<std::string>().find("Abnar and Zuidema 2020"), std::string::npos);
}

TEST_F(Page, ShowsAGalleryWhereThereAreThumbnails) {
  EXPECT_TRUE(look()["tiles"].empty());
  report_->thumbnails.resize(report_->table.sections.size());
  const std::vector<std::string> ids = reports::gallery_ids(*report_)[0];
  for (std::size_t i = 0; i + 1 < ids.size(); ++i)  // the last image is gone
    report_->thumbnails[0][ids[i]] = kOnePixel;
  const Json page = look();
  ASSERT_FALSE(page.contains("error")) << page["error"];
  EXPECT_EQ(page["tiles"].size(), 2 * reports::kGalleryImages);
  EXPECT_EQ(console_.find("CONSOLE"), std::string::npos) << console_;
}

}  // namespace
}  // namespace vise
