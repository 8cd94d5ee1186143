# SPDX-License-Identifier: MIT
"""The report in a browser: no error, no network, sorting and filtering, every figure, nothing wider than the window."""
import json
import shutil
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import fake_run  # noqa: E402
import record    # noqa: E402
import report    # noqa: E402
import summary   # noqa: E402
from selenium import webdriver                                  # noqa: E402
from selenium.webdriver.chrome.options import Options           # noqa: E402
from selenium.webdriver.chrome.service import Service           # noqa: E402
from selenium.webdriver.common.by import By                     # noqa: E402

WIDTHS = (390, 1400)
CLAIMS = {"claims": [{"sentence": "The GIL costs one thread nothing.", "verdict": "REPRODUCED", "reason": "",
                      "source": [{"publication": "A talk", "place": "minute 3"}],
                      "criteria": [{"measured": "calls", "value": 1.01, "low": 0.98, "high": 1.04, "unit": "x", "criterion": "< 1.05"}]},
                     {"sentence": "</script><b>Everything</b> is twice as fast.", "verdict": "REFUTED", "reason": "It is not.", "source": [], "criteria": []}]}


class Page(unittest.TestCase):
    """A page in a browser. What is tried on every page is here; what a page of its own must have, in its class."""
    @classmethod
    def make(cls) -> Path:
        """A run's folder."""
        raise unittest.SkipTest("no page of its own")

    @classmethod
    def setUpClass(cls) -> None:
        cls.folder = Path(tempfile.mkdtemp(prefix="refarena-test-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        run = cls.make()
        about, lines = record.read_run(run), record.read_lines(run)
        cls.address = "file://" + str(report.write(run, about, lines, summary.summarise(about["matrix"], lines)))
        options = Options()
        options.binary_location = "/usr/bin/chromium"
        for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        cls.browser = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
        cls.addClassCleanup(cls.browser.quit)

    def open(self, width: int = 1400, scheme: str = "light", at: str = "") -> None:
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False})
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [
            {"name": "prefers-color-scheme", "value": scheme}, {"name": "prefers-reduced-motion", "value": "reduce"}]})
        self.browser.get("about:blank")
        self.browser.get(self.address + at)

    def all(self, selector: str) -> list:
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector: str):
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def js(self, code: str, *arguments: object) -> object:
        return self.browser.execute_script(code, *arguments)

    def choose(self, select: str, value: str) -> None:
        self.js("const s = document.getElementById(arguments[0]); s.value = arguments[1]; s.dispatchEvent(new Event('input', {bubbles: true}));", select, value)

    def shown(self, column: int) -> list[str]:
        return [cell.text for cell in self.all(f"#table tbody td:nth-child({column})")]

    def test_it_loads_without_an_error_and_asks_for_nothing_else(self):
        self.browser.get_log("browser"), self.browser.get_log("performance")
        self.open()
        self.assertEqual(self.js("return document.documentElement.dataset.ready"), "yes")
        self.assertEqual(self.browser.get_log("browser"), [])
        sent = [json.loads(e["message"])["message"] for e in self.browser.get_log("performance")]
        asked = {m["params"]["request"]["url"] for m in sent if m["method"] == "Network.requestWillBeSent"}
        self.assertEqual({u for u in asked if not u.startswith(("data:", "about:", "blob:"))}, {self.address})

    def test_nothing_is_wider_than_the_window_light_or_dark(self):
        for width in WIDTHS:
            for scheme in ("light", "dark"):
                self.open(width, scheme)
                for button in [None, *self.all("#metric button")]:
                    if button:
                        button.click()
                    self.assertLessEqual(self.js("return document.documentElement.scrollWidth"), width)
                    over = self.js("""return [...document.querySelectorAll('.card, .card text, .facts li, dd, .claim, .filters label')].filter((e) =>
                        {const b = e.getBoundingClientRect(); return b.width && (b.left < -1 || b.right > innerWidth + 1)}).map((e) => e.textContent.slice(0, 60))""")
                    self.assertEqual(over, [], f"{width} {scheme} {button and button.text}")
                self.js("detail(ROWS.find((r) => r.values.length))")
                box = self.js("const b = document.getElementById('detail').getBoundingClientRect(); return [b.left, b.right]")
                self.assertTrue(0 <= box[0] and box[1] <= width, box)


class Report(Page):
    @classmethod
    def make(cls) -> Path:
        run = fake_run.write(cls.folder / "run", ns={"jemalloc": 5.0, "cyclic/pymalloc": 12.0}, outcomes={"leak/bump": "heap_full"}, pauses=True)
        (run / "claims.json").write_text(json.dumps(CLAIMS))
        return run

    def test_every_group_has_its_figure_in_every_metric_that_the_run_has(self):
        self.open()
        wanted = {"throughput": {"churn", "calls", "own"}, "memory": {"churn", "calls", "own"}, "memory over time": {"churn", "calls", "own"},
                  "pauses": {"calls", "own"}, "utilisation": {"calls", "own"}}
        self.assertEqual([b.text for b in self.all("#metric button")], list(wanted))
        for button in self.all("#metric button"):
            button.click()
            cards = {c.get_attribute("data-group"): c for c in self.all(".card")}
            self.assertEqual(set(cards), wanted[button.text])
            for name, card in cards.items():
                marks = card.find_elements(By.CSS_SELECTOR, ".mark, .line")
                self.assertGreaterEqual(len(marks), 2, f"{button.text} {name}")
                self.assertNotIn("NaN", card.get_attribute("innerHTML"), f"{button.text} {name}")
        self.assertEqual(self.browser.get_log("browser"), [])

    def test_a_configuration_without_a_number_is_there_with_its_outcome(self):
        self.open()
        self.assertIn("heap full", self.one(".card[data-group=calls]").text)
        self.choose("find", "leak")
        self.assertIn("heap_full", self.one("#table tbody").text)

    def test_a_heading_sorts_by_its_column_up_and_then_down(self):
        self.open()
        head = lambda: next(b for b in self.all("#table th button") if b.text.startswith("ns/op"))
        for sign, word in ((1, "ascending"), (-1, "descending")):
            head().click()
            self.assertEqual(head().find_element(By.XPATH, "..").get_attribute("aria-sort"), word)
            values = [float(v) for v in self.shown(3) if v != "heap_full"]
            self.assertEqual(values, sorted(values, reverse=sign < 0))
            self.assertEqual(self.shown(3)[-1], "heap_full")
        self.assertLess(min(values), max(values))

    def test_filters_narrow_the_table_by_word_backend_workload_and_metric(self):
        self.open()
        everything = len(self.shown(1))
        self.choose("backend", "cyclic")
        self.assertEqual(self.shown(1), ["cyclic/pymalloc"])
        self.choose("backend", "")
        self.choose("workload", "shared")
        self.assertEqual(set(self.shown(2)), {"own"})
        self.choose("find", "gil @2")
        self.assertEqual(self.shown(1), ["gil/system@2"])
        self.choose("workload", ""), self.choose("find", "")
        self.assertEqual(len(self.shown(1)), everything)
        self.choose("columns", "memory")
        self.assertIn("peak RSS", self.one("#table thead").text)
        self.assertNotIn("ns/op", self.one("#table thead").text)

    def test_a_row_opens_its_detail_with_invocations_memory_and_pauses(self):
        self.open()
        self.choose("find", "cyclic")
        self.one("#table tbody tr").click()
        dialog = self.one("#detail[open]")
        self.assertEqual(len(dialog.find_elements(By.CSS_SELECTOR, ".row")), 8)
        self.assertEqual(len(dialog.find_elements(By.CSS_SELECTOR, "svg")), 3)
        self.assertIn("cyclic", dialog.text)
        address = self.js("return location.hash")
        self.open(at=address)
        self.assertIn("cyclic", self.one("#detail[open]").text)
        self.one("#detail .close").click()
        self.assertEqual(self.all("#detail[open]"), [])

    def test_pointing_at_a_mark_says_its_value(self):
        self.open()
        mark = next(m for m in self.all(".card[data-group=churn] .row") if "jemalloc" in m.text)
        webdriver.ActionChains(self.browser).move_to_element(mark).perform()
        self.assertRegex(self.one("#tip").text, r"jemalloc\n(2|1\.99|2\.0\d)×")

    def test_dark_is_dark_and_light_is_light(self):
        for scheme, dark in (("light", False), ("dark", True)):
            self.open(scheme=scheme)
            red = int(self.js("return getComputedStyle(document.body).backgroundColor").split("(")[1].split(",")[0])
            self.assertEqual(red < 100, dark)

    def test_claims_are_shown_with_their_verdicts_as_text_and_not_as_code(self):
        self.open()
        self.assertEqual([c.text for c in self.all(".claim b")], ["REPRODUCED", "REFUTED"])
        self.assertIn("<b>Everything</b>", self.one("#claims").text)
        self.assertIn("minute 3", self.one("#claims").text)

    def test_the_data_can_be_taken_from_the_page(self):
        self.open()
        links = {a.get_attribute("download") or a.get_attribute("href").rsplit("/", 1)[-1] for a in self.all("#files a")}
        self.assertTrue({"table.csv", "run-data.json", "invocations.jsonl", "run.json"} <= links, links)
        table = self.js("""return fetch(document.querySelector('#files a').href).then((r) => r.text())""")
        self.assertIn('"churn jemalloc","churn",', table.splitlines()[2])


LOOKS = [{"ns": i, "born": 20 * i, "died": 19 * i, "born_bytes": 320 * i, "died_bytes": 304 * i, "live_objects": i // 2, "live_bytes": 8 * i,
          "tracked": [i, 0, 0, 0]} for i in range(50)]
LATENCIES = {f"{kind}_{place}_ns": at * factor for kind, factor in (("simple", 1.0), ("metered", 9.0), ("smoothed", 6.0))
             for place, at in (("p50", 900.0), ("p90", 2e3), ("p99", 5e4), ("max", 3e6))} | {"late_share": 0.2}
OPEN_LOOP = '[[group]]\nname = "requests"\nworkload = "requests"\nmethod = "blocks"\nconfigurations = ["refcount/system", "locked_object_immortal/tcmalloc"]\n' \
            '[[group]]\nname = "absent"\nworkload = "calls"\nconfigurations = ["refcount/system"]\n'
PICTURE = '<svg xmlns="http://www.w3.org/2000/svg" width="1600" height="900"><rect width="1600" height="900" fill="#888"/></svg>'


class Looks(Page):
    """A run of an open loop, with looks into the heap, a figure that the page does not draw, and things missing."""

    @classmethod
    def make(cls) -> Path:
        run = fake_run.write(cls.folder / "run", text=OPEN_LOOP)
        told = {name: {"count": 1, "mean": value, "least": value, "most": value} for name, value in LATENCIES.items()}
        lines = [{**l, "figures": told, "declared": {"operations": 1000, "allocations": 1, "bytes": 1, "references": 1}}
                 for l in map(json.loads, (run / "invocations.jsonl").read_text().splitlines()) if l["group"] == "requests"]
        lines += [{**l, "purpose": "heap", "heap": LOOKS} for l in lines if l["purpose"] == "time" and l["repetition"] == 0]
        (run / "invocations.jsonl").write_text("".join(json.dumps(l) + "\n" for l in lines))
        (run / "plots").mkdir()
        (run / "plots/heap_floating.svg").write_text(PICTURE)
        (run / "claims.json").write_text("damaged")
        return run

    def test_latencies_come_first_and_the_group_says_that_its_time_is_the_schedules(self):
        self.open()
        self.assertEqual(self.one("#metric button[aria-pressed=true], #metric button.on").text, "latency")
        self.assertIn("an open loop", self.one(".card .warn").text)

    def test_the_heap_has_a_row_for_each_that_looked_in_objects_and_bytes(self):
        self.open()
        self.assertEqual([h.text for h in self.all("#looks th")].count("bytes, mean"), 1)
        self.assertEqual(len(self.all("#looks tbody tr")), 3)           # the twin looked too

    def test_a_figure_that_the_page_does_not_draw_is_shown_whole(self):
        self.open()
        self.assertEqual([(i.get_attribute("alt"), self.js("return arguments[0].naturalWidth", i)) for i in self.all("#pictures img")], [("heap floating", 1600)])

    def test_what_is_missing_or_damaged_is_said(self):
        self.open()
        for words in ("Not measured, though planned: absent", "claims.json is damaged"):
            self.assertIn(words, self.one("body").text)


class Reference(Page):
    """A run that was measured: its labels are as long as they get."""

    @classmethod
    def make(cls) -> Path:
        shutil.copytree(record.RESULTS / "reference-latency", cls.folder / "run")
        return cls.folder / "run"


if __name__ == "__main__":
    unittest.main()
