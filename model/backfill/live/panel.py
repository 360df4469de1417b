"""The panel itself: sliders and switches, charts that follow them, and buttons."""

from __future__ import annotations

import os
from html import escape
from pathlib import Path
from typing import Any, Literal

import altair as alt
import numpy as np

from backfill.errors import Faults, UnsolvedError, UserError
from backfill.experiments.config import Experiment, load_experiment
from backfill.live.drawing import GROUPS, headline, spec
from backfill.live.latest import Latest
from backfill.live.models import Model, World
from backfill.live.positions import Positions, Slide
from backfill.live.saving import save
from backfill.policy.library import shipped_names

try:
    import ipywidgets as widgets
except ModuleNotFoundError as missing:
    raise ImportError("the live panel needs notebooks: pip install 'backfill[notebooks]'") from missing

DEFAULT = "live-panel"
NOW, KEPT, NOBODY = "now", "kept", "nothing"
HERE = "this position"
STILL = 'no number moves: nothing here depends on it in one year at given plans of builders; mode="coupled" lets them answer'


def panel(
    experiment: Experiment | str | os.PathLike[str] = DEFAULT, *, mode: Literal["static", "coupled"] | None = None
) -> Panel:
    """A live panel of an experiment: each lever of its ``[sweep]`` a slider or a switch, answered by the model.

    Args:
        experiment: an experiment with levers, or the file or name of one.
        mode: ``"static"`` for one year at the reference's supply plan, ``"coupled"`` for all years with suppliers' answer; as
            the experiment says if None.

    Returns:
        a widget: the last line of a cell shows it.

    Raises:
        Faults: faults in the file, all at once; or it has no levers.
        UnsolvedError: the reference cannot be solved.
    """
    from backfill.commands.run import keep_compiled

    keep_compiled()
    chosen = experiment if isinstance(experiment, Experiment) else load_experiment(experiment)
    return Panel(chosen, mode)


class Panel(widgets.VBox):
    """Sliders, charts and buttons of one experiment.

    Attributes:
        positions: what may be moved.
        sliders: widget of each lever, by its name; setting ``value`` moves it.
        shown: the world drawn.
        reference: the world it is compared with.
        kept: a world drawn beside it, or None.

    Args:
        experiment: with levers.
        mode: ``"static"`` or ``"coupled"``; as the experiment says if None.
    """

    def __init__(self, experiment: Experiment, mode: str | None = None) -> None:
        self.positions = Positions.of(experiment)
        beside = experiment.file.parent if experiment.file else None
        against = load_experiment(experiment.reference, beside=beside, compared_with=experiment, inert_allowed=True)
        self.model = Model(self.positions, against.policy, mode)
        self.coupled = self.model.mode == "coupled"
        self.reference: World = self.model.of(against.policy, against.name)
        self.shown: World = self.model.at(self.positions.start, NOW)
        self.shown_at: tuple[float, ...] = self.positions.start
        self.kept: World | None = None
        self._still = False
        self._beside = NOBODY
        self._work = Latest[tuple[float, ...]](self._solve, self._rest)
        self._build()
        super().__init__(
            [self.title, self.board, self.buttons, self.told, self.state, self.drawing],
            layout=widgets.Layout(max_width="980px"),
        )

    @property
    def values(self) -> tuple[float, ...]:
        """Where sliders stand."""
        return tuple(_value(slide, self.sliders[slide.label].value) for slide in self.positions.slides)

    def move(self, **by_label: float) -> None:
        """Move several levers at once; names with spaces go in as ``**{"name of the lever": 0.5}``."""
        self._set(self.positions.values(dict(zip(self.sliders, self.values, strict=True)) | by_label))

    def reset(self) -> None:
        """Levers as the file has them, and nothing beside."""
        self._choose(NOBODY)
        self.kept = None
        self._set(self.positions.start)
        self._draw()

    def keep(self, name: str | None = None) -> None:
        """Keep the world shown beside later ones; or draw a named experiment beside them, if it can be: else all stays."""
        if name is None:
            self.kept, self._beside = World(KEPT, self.shown.period, self.shown.numbers), HERE
        else:
            try:
                self.kept, self._beside = self._other(name), name
            except (UserError, UnsolvedError) as error:
                self._say(f"{name} cannot stand beside: {_sentence(error)}", bad=True)
                self._choose(self._beside)
                return
        self._choose(self._beside)
        self._say("")
        self._draw()

    def save(self, file: str | os.PathLike[str]) -> Path:
        """Write the position shown as an experiment file that gives the same numbers in the command line.

        Raises:
            OutputError: there is such a file already, or it cannot be written.
        """
        return save(self.positions, self.shown_at, self.model.table, Path(file))

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the world of the latest position; False if it took longer."""
        return self._work.wait(timeout)

    def _build(self) -> None:
        """Make the widgets."""
        experiment = self.positions.experiment
        self.title = widgets.HTML(f"<b>{escape(experiment.title or experiment.name)}</b>")
        self.sliders: dict[str, Any] = {slide.label: _widget(slide) for slide in self.positions.slides}
        for one in self.sliders.values():
            one.observe(self._moved, "value")
        self.board = widgets.GridBox(
            list(self.sliders.values()), layout=widgets.Layout(grid_template_columns="repeat(2, minmax(0, 1fr))")
        )
        self.again = widgets.Button(description="Reset", tooltip="levers as the file has them, nothing beside")
        self.again.on_click(lambda _: self.reset())
        others = [name for name in shipped_names() if name != experiment.name]
        options = [("compare with…", NOBODY), (HERE, HERE), *((name, name) for name in others)]
        self.compare = widgets.Dropdown(options=options, value=NOBODY, layout=widgets.Layout(width="190px"))
        self.compare.observe(self._compared, "value")
        self.group = widgets.Dropdown(
            options=[(f"sales of {name}", name) for name in GROUPS],
            value=GROUPS[0],
            layout=widgets.Layout(width="180px"),
        )
        self.group.observe(lambda _: self._draw(), "value")
        self.file = widgets.Text(value="my-policy", layout=widgets.Layout(width="150px"))
        self.saved = widgets.Button(description="Save as experiment", tooltip="a file for the command line")
        self.saved.on_click(self._save)
        self.buttons = widgets.HBox(
            [self.again, self.compare, self.group, self.file, self.saved], layout=widgets.Layout(flex_flow="row wrap")
        )
        self.told, self.state = widgets.HTML(), widgets.HTML()
        JupyterChart = _offline()
        self.drawing = JupyterChart(
            alt.Chart.from_dict(self._spec()), embed_options={"actions": False, "renderer": "svg"}
        )
        self._draw()

    def _spec(self) -> dict[str, Any]:
        return spec(self.shown, self.reference, self.kept, str(self.group.value), coupled=self.coupled)

    def _draw(self) -> None:
        """Charts and sentence of the world shown."""
        self.told.value = escape(headline(self.shown, self.reference.name, coupled=self.coupled))
        self.drawing.spec = self._spec()

    def _moved(self, _: object) -> None:
        if self._still:
            return
        if self.coupled:
            self._say("solving…")
            self._work.ask(self.values)
        else:
            self._solve(self.values)

    def _solve(self, values: tuple[float, ...]) -> None:
        try:
            found = self.model.at(values, NOW)
        except UnsolvedError as error:
            self._say(f"no world found here, the last one stays: {_sentence(error)}", bad=True)
            return
        still = values != self.shown_at and _same(found, self.shown)
        self.shown, self.shown_at = found, values
        if not self.coupled:
            self._say(STILL if still else "")
        self._draw()

    def _rest(self) -> None:
        if self.state.value == _line("solving…"):
            self._say("")

    def _set(self, values: tuple[float, ...]) -> None:
        """Move all sliders, then solve once."""
        self._still = True
        try:
            for slide, value in zip(self.positions.slides, values, strict=True):
                self.sliders[slide.label].value = bool(value == slide.high) if slide.switch else value
        finally:
            self._still = False
        self._moved(None)

    def _compared(self, change: Any) -> None:
        if self._still:
            return
        if change["new"] == NOBODY:
            self.kept, self._beside = None, NOBODY
            self._draw()
        else:
            self.keep(None if change["new"] == HERE else change["new"])

    def _choose(self, beside: str) -> None:
        """Show what stands beside as chosen."""
        self._beside, still, self._still = beside, self._still, True
        try:
            self.compare.value = beside
        finally:
            self._still = still

    def _other(self, name: str) -> World:
        """The world of a named experiment in this economy."""
        experiment = self.positions.experiment
        other = load_experiment(name, compared_with=experiment, inert_allowed=True)
        return self.model.of(other.policy, other.name)

    def _save(self, _: object) -> None:
        try:
            place = self.save(self.file.value.strip() or "my-policy")
        except UserError as error:
            self._say(str(error), bad=True)
            return
        word = "run" if self.coupled else "sweep"
        self._say(f"wrote {place}; the same numbers: backfill {word} {place}")

    def _say(self, text: str, *, bad: bool = False) -> None:
        self.state.value = _line(text, bad=bad)


def _same(one: World, other: World) -> bool:
    """Whether all numbers of two worlds are the same."""
    mine, its = (np.array(list(world.numbers.values())) for world in (one, other))
    return np.array_equal(mine, its, equal_nan=True)


def _line(text: str, *, bad: bool = False) -> str:
    """A line under the sentence."""
    return f'<span style="color:{"#9e2a4f" if bad else "#56606b"}">{escape(text)}</span>' if text else ""


def _sentence(error: Exception) -> str:
    if isinstance(error, UnsolvedError):
        return error.sentence
    return "; ".join(error.lines) if isinstance(error, Faults) else str(error)


def _value(slide: Slide, shown: float | bool) -> float:
    """Value of a lever by that of its widget."""
    if slide.switch:
        return slide.high if shown else slide.low
    return slide.kept(float(shown))


def _widget(slide: Slide) -> Any:
    """A switch for two values, stops for several, else a slider."""
    layout, style = widgets.Layout(width="95%"), {"description_width": "170px"}
    told = {"description": slide.label, "layout": layout, "style": style}
    if slide.switch:
        return widgets.Checkbox(value=slide.start == slide.high, description=slide.label, indent=False, layout=layout)
    if slide.places is not None:
        options = [(f"{x:g}", x) for x in slide.places]
        return widgets.SelectionSlider(options=options, value=slide.start, **told)
    return widgets.FloatSlider(
        value=slide.start, min=slide.low, max=slide.high, step=slide.step, readout_format=".3g", **told
    )


def _offline() -> Any:
    """Altair's chart widget, carrying its JavaScript with it: no network is asked for it."""
    from altair import JupyterChart

    JupyterChart.enable_offline(True)
    return JupyterChart
