"""The article's HTML: what it shows of a run, what it lacks, and that it fetches nothing."""

import dataclasses
import json
import re

from replication.article.page import as_script, make_page, render
from replication.config import Rnn

import numpy as np
import pytest
from made_up_article import make_parts
from made_up_game import CATCH

HEADS = Rnn(hidden=16, heads="points,end")


@pytest.fixture(scope="module")
def parts():
    return make_parts(CATCH, HEADS)


def facts_of(html: str) -> dict:
    (text,) = re.findall(r'<script type="application/json" id="facts">(.*?)</script>', html)
    return json.loads(text)


def test_a_whole_run_has_all_parts(run, parts):
    html = render(make_page(run, parts))
    for element in (
        "see-picture",
        "dream-picture",
        "drive-dream",
        "head-points",
        "head-end",
    ):
        assert f'id="{element}"' in html
    assert 'class="missing">' not in html.replace("<noscript>", "").partition("<section")[2]
    facts = facts_of(html)
    assert facts["game"]["name"] == "catch" and facts["end"] == "end"
    assert [recording["length"] for recording in facts["recordings"]] == [30, 30]
    assert f"{run.evaluation['mean']:.1f} ± {run.evaluation['std']:.1f}" in html
    assert (
        f"{parts.rnn.count_params():,}" in html and "python replication/demo.py --run mine" in html
    )


def test_sliders_are_the_dimensions_that_carry_nats(run, parts):
    sliders = facts_of(render(make_page(run, parts)))["sliders"]
    carried = [slider["nats"] for slider in sliders]
    assert carried == sorted(carried, reverse=True) and len(sliders) == 6
    mu = np.concatenate([np.float32(r.mu) for r in parts.recordings])[:, 0]
    assert sliders[0]["dimension"] == 0  # of the smallest variance, exp(-4)
    expected = 0.5 * (np.mean(mu**2) + np.exp(-4) + 4 - 1)
    assert carried[0] == pytest.approx(expected, abs=0.006)


@pytest.mark.parametrize("name", ["V", "M", "C", "frames"])
def test_what_is_missing_is_named_once_in_each_part_that_lacks_it(run, parts, name):
    lacks = {
        "V": {"encoder": None, "decoder": None, "recordings": [], "agent": None},
        "M": {"rnn": None, "agent": None},
        "C": {"agent": None},
        "frames": {"recordings": [], "agent": None},
    }[name]
    line = f"no {name} <here>: run python replication/this.py"
    html = render(make_page(run, parts._replace(missing={name: line}, **lacks)))
    shown = html.count(f'<p class="missing">no {name} &lt;here&gt;: run python')
    assert shown == {"V": 3, "M": 2, "C": 1, "frames": 3}[name]
    assert ('id="see-picture"' in html) == (name in ("M", "C"))
    assert ('id="dream-picture"' in html) == (name == "C")
    assert 'value="controller"' not in html
    assert facts_of(html)["game"]["name"] == "catch"


def test_it_needs_no_network(run, parts):
    html = render(make_page(run, parts))
    assert not re.search(r"""(src|href)=["'](?!data:)""", html)
    assert "http:" not in html and "https:" not in html and "url(" not in html


def test_facts_cannot_end_their_script():
    facts = {"title": "</script><script>alert(1)</script>"}
    text = as_script(facts)
    assert "<" not in text and json.loads(text) == facts


def test_text_is_escaped(run, parts):
    html = render(dataclasses.replace(make_page(run, parts), environment="<b>", recorded="<i>"))
    assert "<b>" not in html and "<i>" not in html and "dream of &lt;b&gt;?" in html
