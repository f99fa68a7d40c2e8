"""The article in Chromium, from disk: it opens, keys drive the dream, sliders move pictures."""

import dataclasses
import json
from pathlib import Path

from replication.article.page import as_script, make_page, render
from replication.config import Rnn
from replication.report.run_record import read_run
from replication.runs import folders
from replication.tasks.car_racing import CAR_RACING_V3

import pytest
import saved_run
from browser import Tab, browsing, needs_browser
from made_up_article import make_parts
from made_up_game import CATCH

pytestmark = needs_browser

PHONE = {"width": 390, "height": 844, "phone": True}
WIDE = {"width": 1280, "height": 900}


@pytest.fixture(scope="module")
def pages(tmp_path_factory) -> Path:
    """A folder of pages: of the car, of the made-up game, of runs that lack something."""
    folder = tmp_path_factory.mktemp("pages")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(folders, "HOME", tmp_path_factory.mktemp("home"))
        saved_run.write_run()
        run = read_run(saved_run.CONFIG)
        car = make_parts(CAR_RACING_V3, Rnn(hidden=16))
        catch = make_parts(CATCH, Rnn(hidden=16, heads="points,end"))
        parts = {
            "car": car,
            "catch": catch,
            "no_m": car._replace(rnn=None, agent=None, missing={"M": "no M", "C": "no C"}),
            "no_v": car._replace(
                encoder=None, decoder=None, agent=None, recordings=[], missing={"V": "no V"}
            ),
            "no_c": car._replace(agent=None, missing={"C": "no C"}),
        }
        made = {name: make_page(run, of_run) for name, of_run in parts.items()}
    broken = json.loads(made["car"].facts) | {"decoder": {"dense": {}, "deconvs": []}}
    made["broken"] = dataclasses.replace(made["car"], facts=as_script(broken))
    for name, page in made.items():
        (folder / f"{name}.html").write_text(render(page), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with browsing(tmp_path_factory.mktemp("browser")) as tab:
        yield tab


def open_page(tab: Tab, path: Path, **screen) -> Tab:
    """A page that has started, on a screen of this kind; its dream is paused."""
    tab.show(**(screen or WIDE))
    tab.open(path)
    names = "see: null, dream: null, beside: null"  # else these are the page's sections
    tab.run(f"article.then(parts => Object.assign(window, {{{names}, ...parts}})).then(() => 1)")
    tab.run("dream?.setPlaying(false)")
    tab.run("new Promise(resolve => setTimeout(resolve, 100))")  # the last step has ended
    return tab


@pytest.fixture
def car(browser, pages):
    tab = open_page(browser, pages / "car.html")
    tab.run("document.getElementById('dream-picture').focus()")
    return tab


def painted(tab: Tab, canvas: str) -> str:
    """What a canvas shows now, as an address that is the same for the same pixels."""
    return tab.run(f"document.getElementById('{canvas}').toDataURL()")


def press(tab: Tab, key: str) -> None:
    tab.hold(key)
    tab.release(key)


def step_with(tab: Tab, *keys: str, temperature: float = 1.0) -> dict:
    """One step of the dream of seed 7, with these keys held: its action, z and picture."""
    tab.run(f"dream.temperature.value = {temperature}; dream.seed = 7; dream.begin()")
    for key in keys:
        tab.hold(key)
    steps = tab.run("dream.steps")
    press(tab, "s")
    tab.wait(f"dream.steps === {steps} + 1")
    for key in keys:
        tab.release(key)
    view = tab.run("({action: [...dream.view.action], z: [...dream.view.z]})")
    return view | {"picture": painted(tab, "dream-picture")}


# Opening ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["car", "catch", "no_m", "no_v", "no_c"])
def test_it_opens_with_no_complaint_and_no_request(pages, tmp_path, name):
    with browsing(tmp_path) as tab:
        path = pages / f"{name}.html"
        open_page(tab, path)
        assert tab.complaints == []
        assert tab.requests == [path.as_uri()]
        assert tab.run("document.getElementById('failure').hidden")
        parts = {"ask", "see", "dream", "beside"}
        lacks = {"no_m": {"dream", "beside"}, "no_v": parts}.get(name, set())
        assert set(tab.run("article.then(Object.keys)")) == parts - lacks


def test_what_is_wrong_is_said_on_the_page(browser, pages):
    browser.open(pages / "broken.html")
    browser.wait("!document.getElementById('failure').hidden")
    said = browser.run("document.getElementById('failure').textContent")
    assert said.startswith("This browser cannot compute the page: TypeError")


def test_a_page_that_asks_and_complains_is_heard(tmp_path):
    page = tmp_path / "page.html"
    page.write_text("<img src='http://example.com/a.png'><script>console.error('oops')</script>")
    with browsing(tmp_path) as tab:
        tab.open(page)
        tab.run("1")
        assert "http://example.com/a.png" in tab.requests
        assert any("oops" in complaint for complaint in tab.complaints)


# See --------------------------------------------------------------------------------------------


def test_sliders_change_the_picture(car):
    before = painted(car, "see-picture")
    for place in (0, -1):  # the fullest dimension, and the emptiest that has a slider
        car.run(f"see.sliders.at({place}).input.focus()")
        value = car.run(f"see.sliders.at({place}).input.valueAsNumber")
        press(car, "ArrowRight")
        assert car.run(f"see.sliders.at({place}).input.valueAsNumber") > value
        car.wait("see.wanted === null")
        after = painted(car, "see-picture")
        assert after != before
        before = after


def test_a_sample_has_a_picture_of_its_own_and_the_frame_comes_back(car):
    frame, picture = painted(car, "see-frame"), painted(car, "see-picture")
    car.run("see.showSample()")
    first = painted(car, "see-picture")
    car.run("see.showSample()")
    assert len({picture, first, painted(car, "see-picture")}) == 3
    car.run("see.showFrame()")
    assert (painted(car, "see-frame"), painted(car, "see-picture")) == (frame, picture)


def test_another_frame_is_shown_with_its_picture(car):
    frame, picture = painted(car, "see-frame"), painted(car, "see-picture")
    car.run("see.time.value = 40; see.showFrame()")
    assert painted(car, "see-frame") != frame and painted(car, "see-picture") != picture
    assert car.run("document.getElementById('see-place').value") == "40 of 60"


# Dream ------------------------------------------------------------------------------------------


def test_keys_move_the_dream(car):
    scrolled = car.run("scrollY")
    car.run("dream.setDriver('you')")
    still, left = step_with(car), step_with(car, "ArrowLeft")
    right, gas = step_with(car, "ArrowRight"), step_with(car, "ArrowUp", "ArrowLeft")
    brake, both = step_with(car, "ArrowDown"), step_with(car, "ArrowLeft", "ArrowRight")
    steps = (still, left, right, gas, brake)
    expected = [[0, 0, 0], [-1, 0, 0], [1, 0, 0], [-1, 1, 0], [0, 0, 1]]
    assert [step["action"] for step in steps] == expected
    assert len({step["picture"] for step in steps}) == len(steps)
    assert (both["action"], both["picture"]) == (still["action"], still["picture"])
    assert car.run("scrollY") == scrolled  # arrows drive, and do not scroll


def test_c_drives_until_somebody_takes_the_wheel(car):
    car.run("dream.setDriver('controller')")
    c = step_with(car)["action"]
    assert all(number != 0 for number in c[:2])
    press(car, "ArrowLeft")
    assert car.run("document.querySelector('input[name=driver]:checked').value") == "you"
    assert step_with(car)["action"] == [0, 0, 0]
    car.run("document.querySelector('input[value=controller]').click()")
    assert step_with(car)["action"] == c


def test_temperature_spreads_the_dream(car):
    cool, warm, hot = (step_with(car, temperature=degree)["z"] for degree in (0.1, 0.1, 2))
    assert cool == warm != hot


def test_space_plays_and_pauses_and_r_begins_again(car):
    press(car, " ")
    car.wait("dream.steps > 3")
    press(car, " ")
    assert not car.run("dream.clock.isRunning")
    car.run("new Promise(resolve => setTimeout(resolve, 100))")
    steps = car.run("dream.steps")
    seed = car.run("dream.seed")
    press(car, "r")
    car.wait("dream.steps === 0")
    assert steps > 3 and car.run("dream.seed") == seed + 1


def test_it_runs_only_while_it_is_seen(car):
    car.run("dream.picture.scrollIntoView(); dream.setPlaying(true)")
    car.wait("dream.clock.isRunning && dream.clock.rate > 0")
    car.run("scrollTo(0, 0)")
    car.wait("!dream.clock.isRunning")


def test_another_start_begins_there(car):
    first = painted(car, "dream-picture")
    car.run("document.querySelectorAll('#dream-starts button')[4].click()")
    car.wait("document.querySelectorAll('#dream-starts button')[4].ariaPressed === 'true'")
    car.run("dream.begin()")
    assert car.run("dream.start") == {"recording": 1, "time": 0}
    assert painted(car, "dream-picture") != first
    pressed = "[...document.querySelectorAll('#dream-starts button')].map(b => b.ariaPressed)"
    assert car.run(pressed).count("true") == 1


def test_instruments_show_what_m_says(car):
    blank = [painted(car, f"dream-{name}") for name in ("mixture", "memory")]
    for _ in range(3):
        car.run("dream.step()")
    shown = [painted(car, f"dream-{name}") for name in ("mixture", "memory")]
    assert all(before != after for before, after in zip(blank, shown, strict=True))
    other = "select => { select.value = 31; select.dispatchEvent(new Event('input')) }"
    car.run(f"({other})(document.getElementById('dream-dimension'))")
    assert painted(car, "dream-mixture") != shown[0]
    bars = "[...document.querySelectorAll('#dream-actions div')].map(row => row.innerText)"
    numbers = [float(text.split()[-1]) for text in car.run(bars)]
    assert numbers == pytest.approx(car.run("[...dream.view.action]"), abs=0.006)


def test_a_dream_that_ends_begins_again(browser, pages):
    tab = open_page(browser, pages / "catch.html")
    tab.run("dream.temperature.value = 2; dream.setPlaying(true); dream.picture.scrollIntoView()")
    tab.wait("dream.over > 0")
    status = tab.run("document.getElementById('dream-status').textContent")
    assert status.endswith("it ends here") and tab.run("dream.view.heads.end") > 0.5
    seed = tab.run("dream.seed")
    tab.wait(f"dream.seed > {seed}")
    said = float(tab.run("document.getElementById('head-end-now').value") or 0)
    assert 0 <= said <= 1


# Side by side -----------------------------------------------------------------------------------


def test_side_by_side_the_dream_goes_its_own_way(car):
    names = ("drive-frame", "drive-picture", "drive-dream")
    before = [painted(car, name) for name in names]
    assert car.run("beside.time") == 7 and len(set(before)) == 3
    for _ in range(3):
        car.run("beside.step()")
    after = [painted(car, name) for name in names]
    assert all(old != new for old, new in zip(before, after, strict=True))
    assert car.run("document.getElementById('drive-since').value") == "0.1 s on"
    car.run("beside.begin(beside.time)")
    assert car.run("document.getElementById('drive-since').value") == "0.0 s on"
    assert painted(car, "drive-frame") == after[0]


def test_side_by_side_it_plays_to_the_end_and_another_recording_is_chosen(car):
    car.run("document.getElementById('drive-dream').scrollIntoView(); beside.setPlaying(true)")
    car.wait("beside.time === 29 && !beside.clock.isRunning")
    frame = painted(car, "drive-frame")
    car.run("beside.recording.value = 1; beside.choose()")
    assert car.run("beside.time") == 7 and painted(car, "drive-frame") != frame


# Screens ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["car", "catch", "no_v"])
@pytest.mark.parametrize("screen", [PHONE, WIDE, PHONE | {"width": 320}], ids=str)
def test_nothing_sticks_out_of_the_screen(browser, pages, name, screen):
    tab = open_page(browser, pages / f"{name}.html", **screen)
    assert tab.run("document.documentElement.scrollWidth") <= screen["width"]


def test_a_touch_of_a_half_steers_that_way(browser, pages):
    tab = open_page(browser, pages / "car.html", **PHONE)
    tab.run("dream.picture.scrollIntoView({block: 'center'})")
    box = tab.run("(({left, top, width, height}) => ({left, top, width, height}))"
                  "(dream.picture.getBoundingClientRect())")  # fmt: skip
    y = box["top"] + box["height"] / 2
    for part, action in ((0.25, [-1, 0.5, 0]), (0.75, [1, 0.5, 0])):
        point = {"x": box["left"] + part * box["width"], "y": y}
        tab.call("Input.dispatchTouchEvent", type="touchStart", touchPoints=[point])
        assert tab.run("dream.wheel.action()") == action
        tab.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
        assert tab.run("dream.wheel.action()") == [0, 0, 0]
    assert tab.run("dream.driver") == "you"
    buttons = "[...document.querySelectorAll('#dream-pad button')].map(b => b.textContent)"
    assert sorted(tab.run(buttons)) == sorted("◀▶▲▼")
    assert tab.run("getComputedStyle(document.getElementById('dream-pad')).display") == "grid"


def test_dark_and_light_have_their_own_colours(browser, pages):
    ground = "getComputedStyle(document.body).backgroundColor"
    colours = []
    for dark in (False, True):
        open_page(browser, pages / "car.html", **WIDE, dark=dark)
        colours.append(sum(map(int, browser.run(ground)[4:-1].split(","))))
    assert colours[0] > 600 and colours[1] < 100


def test_the_made_up_games_own_keys_drive(browser, pages):
    tab = open_page(browser, pages / "catch.html")
    tab.run("document.getElementById('dream-picture').focus(); dream.setDriver('you')")
    assert step_with(tab, "ArrowLeft")["action"] == [1, 0]
    assert step_with(tab, "ArrowRight")["action"] == [0, 1]


def test_whoever_wants_no_motion_finds_a_still_page(browser, pages):
    browser.call(
        "Emulation.setEmulatedMedia",
        features=[{"name": "prefers-reduced-motion", "value": "reduce"}],
    )
    browser.open(pages / "car.html")
    assert browser.run("article.then(({dream}) => dream.wantsToPlay)") is False
    browser.call("Emulation.setEmulatedMedia", features=[])
    browser.open(pages / "car.html")
    assert browser.run("article.then(({dream}) => dream.wantsToPlay)") is True
