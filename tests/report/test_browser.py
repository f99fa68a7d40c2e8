"""The report page as a browser shows it: Chromium, headless, from disk and without a network."""

import json
import re
import subprocess
from html import unescape
from pathlib import Path

from replication.report.catalogue import FIGURES

from browser import BROWSER, OPTIONS, needs_browser

# A script that appends to the page what the browser sees of it. The page itself has no script.
PROBE = """<script>
addEventListener("load", () => {
  const rows = [...document.querySelectorAll("h2")].find(e => e.textContent === "Scores")
  const table = rows && rows.parentElement.querySelector("h2:last-of-type ~ div table")
  const probe = document.createElement("pre")
  probe.id = "probe"
  probe.textContent = JSON.stringify({
    images: [...document.images].map(e => [e.complete, e.naturalWidth, e.alt]),
    requests: performance.getEntriesByType("resource").map(e => e.name),
    scores: table ? [...table.rows].map(row => [...row.cells].map(e => e.textContent)) : null,
    wider: document.documentElement.scrollWidth > innerWidth,
  })
  document.body.append(probe)
})
</script></body>"""

ALL = [e for e in FIGURES if not e.only and e.stage != "rounds"]  # of a car without rounds


def browse(page: Path, folder: Path, *options: str) -> subprocess.CompletedProcess:
    """Open a page in a browser of its own that resolves no name."""
    command = [
        BROWSER, *OPTIONS, f"--user-data-dir={folder / 'profile'}",
        "--enable-logging=stderr", "--virtual-time-budget=20000", "--window-size=1200,900",
        *options, page.as_uri(),
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)


def probe(text: str, folder: Path) -> dict:
    """What PROBE sees of a page, and `console`: the lines that the browser wrote to its console."""
    page = folder / "probed.html"
    page.write_text(text.replace("</body>", PROBE), encoding="utf-8")
    ended = browse(page, folder, "--dump-dom")
    (text_of_probe,) = re.findall(r'<pre id="probe">(.*?)</pre>', ended.stdout)
    console = [line for line in ended.stderr.splitlines() if ":CONSOLE" in line]
    return json.loads(unescape(text_of_probe)) | {"console": console}


@needs_browser
def test_the_page_opens_whole_with_no_error_and_no_request(built, tmp_path):
    report = probe((built / "report.html").read_text(encoding="utf-8"), tmp_path)
    assert len(report["images"]) == len(ALL)
    assert all(complete and width > 500 and alt for complete, width, alt in report["images"])
    assert report["console"] == []
    assert report["requests"] == []
    header, *rows = report["scores"]
    assert header[:3] == ["who", "environment", "mean return"]
    assert [rows[6][0], rows[-1][0]] == ["World Models, full", "Ours, run mine"]
    assert not report["wider"]  # nothing sticks out of the window


@needs_browser
def test_the_probe_sees_what_is_wrong(tmp_path):
    page = """<html><body><h2>Scores</h2><img src="data:image/png;base64,xxxx">
    <script>console.error("oops")</script><script src="http://example.com/a.js"></script>
    <p style="width: 3000px">wide</p></body></html>"""
    report = probe(page, tmp_path)
    assert [width for _, width, _ in report["images"]] == [0]
    assert len(report["console"]) == 1 and "oops" in report["console"][0]
    assert report["requests"] == ["http://example.com/a.js"]
    assert report["scores"] is None and report["wider"]
