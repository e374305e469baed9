"""Scenarios: what happens in the room and when, as YAML files; those that ship lie in `simulator/scenarios/`.

    title: {en: Mains fails and returns, zh: 市电停电又恢复}
    again_every: 4min            # optional: the story starts again
    steps:
      - {at: 20s, do: mains_fails, title: {en: Mains fails, zh: 市电停电}}

Each `do` is one class below; its fields are the step's further keys.
"""

from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal, Protocol

import msgspec

from config.reader import ConfigError, Problem, convert, read, read_text
from config.scalars import Seconds
from simulator.plant import MODULES, SUBRACKS
from simulator.subrack import FANS
from simulator.trouble import Trouble

Device = Literal["rectifier", "battery", "meter", "ups", "subracks"]
DEVICES: tuple[Device, ...] = ("rectifier", "battery", "meter", "ups", "subracks")
SubrackNumber = Annotated[int, msgspec.Meta(ge=1, le=SUBRACKS, examples=[1])]
FanNumber = Annotated[int, msgspec.Meta(ge=1, le=FANS, examples=[1])]
ModuleNumber = Annotated[int, msgspec.Meta(ge=1, le=MODULES, examples=[1])]
Share = Annotated[float, msgspec.Meta(ge=0, lt=1, description="a share from 0 to below 1", examples=[0.01])]
Rate = Annotated[float, msgspec.Meta(ge=0, le=1000, examples=[0.5])]
Celsius = Annotated[float, msgspec.Meta(ge=-40, le=120, examples=[46.0])]


class Controls(Protocol):
    """What a step may do to a room."""

    def mains(self, on: bool) -> None:
        """Take mains away or give it back."""

    def stop_fan(self, subrack: int, fan: int) -> None:
        """Stop one fan."""

    def start_fan(self, subrack: int, fan: int) -> None:
        """Start it again."""

    def set_temperature(self, subrack: int, celsius: float, over: float = 0.0) -> None:
        """Bring a subrack to a temperature within so many seconds and hold it."""

    def free_temperature(self, subrack: int) -> None:
        """Let the fans decide again."""

    def kill_sensor(self, subrack: int, fan: int | None = None) -> None:
        """Break a fan's sensor, or without a fan the subrack's temperature sensor."""

    def mend_sensor(self, subrack: int, fan: int | None = None) -> None:
        """Mend it."""

    def fail_module(self, module: int) -> None:
        """Break a rectifier module."""

    def mend_module(self, module: int) -> None:
        """Mend it."""

    def kill(self, device: str) -> None:
        """Let a device answer no more."""

    def revive(self, device: str) -> None:
        """Let it answer again."""

    def unplug(self) -> None:
        """Pull the line's adapter."""

    def plug_in(self) -> None:
        """Put it back."""

    def trouble_line(self, trouble: Trouble) -> None:
        """Let the line be as bad as that from now on."""


class Title(msgspec.Struct, frozen=True):
    """A line of the story in the languages of the page."""

    en: str
    zh: str


class Step(msgspec.Struct, frozen=True, kw_only=True, tag_field="do"):
    """Something that happens `at` so many seconds after the story's start."""

    at: Seconds
    title: Title

    def apply(self, room: Controls) -> None:
        """Make it happen; every kind of step has its own way."""
        raise TypeError(f"{type(self).__name__} is no step that can happen to {room}")


class MainsFails(Step, frozen=True, kw_only=True, tag_field="do", tag="mains_fails"):
    """All three phases are lost."""

    def apply(self, room: Controls) -> None:
        """Make it happen."""
        room.mains(False)


class MainsReturns(Step, frozen=True, kw_only=True, tag_field="do", tag="mains_returns"):
    """All three phases are back."""

    def apply(self, room: Controls) -> None:
        """Make it happen."""
        room.mains(True)


class FanStops(Step, frozen=True, kw_only=True, tag_field="do", tag="fan_stops"):
    """One fan stands."""

    subrack: SubrackNumber
    fan: FanNumber

    def apply(self, room: Controls) -> None:
        """Make it happen."""
        room.stop_fan(self.subrack, self.fan)


class FanStarts(Step, frozen=True, kw_only=True, tag_field="do", tag="fan_starts"):
    """One fan turns again."""

    subrack: SubrackNumber
    fan: FanNumber

    def apply(self, room: Controls) -> None:
        """Make it happen."""
        room.start_fan(self.subrack, self.fan)


class TemperatureGoes(Step, frozen=True, kw_only=True, tag_field="do", tag="temperature_goes"):
    """A subrack reaches `to` degrees Celsius within `over` and stays there, whatever its fans do."""

    subrack: SubrackNumber
    to: Celsius
    over: Seconds = 0.0

    def apply(self, room: Controls) -> None:
        """Make it happen."""
        room.set_temperature(self.subrack, self.to, self.over)


class TemperatureFree(Step, frozen=True, kw_only=True, tag_field="do", tag="temperature_free"):
    """A subrack's temperature follows its fans again."""

    subrack: SubrackNumber

    def apply(self, room: Controls) -> None:
        """Make it happen."""
        room.free_temperature(self.subrack)


class SensorDies(Step, frozen=True, kw_only=True, tag_field="do", tag="sensor_dies"):
    """A fan's sensor breaks; without `fan`, the subrack's temperature sensor."""

    subrack: SubrackNumber
    fan: FanNumber | None = None

    def apply(self, room: Controls) -> None:
        """Make it happen."""
        room.kill_sensor(self.subrack, self.fan)


class SensorMended(Step, frozen=True, kw_only=True, tag_field="do", tag="sensor_mended"):
    """That sensor works again."""

    subrack: SubrackNumber
    fan: FanNumber | None = None

    def apply(self, room: Controls) -> None:
        """Make it happen."""
        room.mend_sensor(self.subrack, self.fan)


class ModuleFails(Step, frozen=True, kw_only=True, tag_field="do", tag="module_fails"):
    """A rectifier module breaks; the others carry its share."""

    module: ModuleNumber

    def apply(self, room: Controls) -> None:
        """Make it happen."""
        room.fail_module(self.module)


class ModuleMended(Step, frozen=True, kw_only=True, tag_field="do", tag="module_mended"):
    """That module works again."""

    module: ModuleNumber

    def apply(self, room: Controls) -> None:
        """Make it happen."""
        room.mend_module(self.module)


class FallsSilent(Step, frozen=True, kw_only=True, tag_field="do", tag="falls_silent"):
    """Devices answer no more; without `devices`, all of them."""

    devices: tuple[Device, ...] = DEVICES

    def apply(self, room: Controls) -> None:
        """Make it happen."""
        for device in self.devices:
            room.kill(device)


class AnswersAgain(Step, frozen=True, kw_only=True, tag_field="do", tag="answers_again"):
    """Devices answer again; without `devices`, all of them."""

    devices: tuple[Device, ...] = DEVICES

    def apply(self, room: Controls) -> None:
        """Make it happen."""
        for device in self.devices:
            room.revive(device)


class AdapterPulled(Step, frozen=True, kw_only=True, tag_field="do", tag="adapter_pulled"):
    """The line's adapter is pulled: its port hangs up."""

    def apply(self, room: Controls) -> None:
        """Make it happen."""
        room.unplug()


class AdapterBack(Step, frozen=True, kw_only=True, tag_field="do", tag="adapter_back"):
    """The adapter is back, under the same link."""

    def apply(self, room: Controls) -> None:
        """Make it happen."""
        room.plug_in()


class LineTroubled(Step, frozen=True, kw_only=True, tag_field="do", tag="line_troubled"):
    """The line is as bad as this until the next such step (docs/simulator.md); without a key it is well again."""

    echo: bool = False
    corrupt: Share = 0.0
    lose: Share = 0.0
    double: Share = 0.0
    noise: Share = 0.0
    spikes: Rate = 0.0
    babble: Share = 0.0

    def apply(self, room: Controls) -> None:
        """Make it happen."""
        room.trouble_line(
            Trouble(
                echo=self.echo,
                corrupted=self.corrupt,
                lost=self.lose,
                doubled=self.double,
                stray=self.noise,
                spikes=self.spikes,
                babble=self.babble,
            )
        )


AnyStep = (
    MainsFails
    | MainsReturns
    | FanStops
    | FanStarts
    | TemperatureGoes
    | TemperatureFree
    | SensorDies
    | SensorMended
    | ModuleFails
    | ModuleMended
    | FallsSilent
    | AnswersAgain
    | AdapterPulled
    | AdapterBack
    | LineTroubled
)


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """A story: its steps in the order of their times; it starts again every `again_every` seconds, if given."""

    title: Title
    steps: tuple[AnyStep, ...]
    again_every: Seconds | None = None

    def __post_init__(self) -> None:
        times = [step.at for step in self.steps]
        if times != sorted(times):
            raise ValueError("the steps are not in the order of their times; sort them by at")
        if self.again_every is not None and times and self.again_every <= times[-1]:
            raise ValueError(f"again_every is not after the last step; write more than {times[-1]:g}s")


def shipped() -> list[str]:
    """Return the names of the scenarios that ship."""
    return sorted(file.name.removesuffix(".yaml") for file in (files("simulator") / "scenarios").iterdir())


def load(name: str | Path) -> Scenario:
    """Read a scenario by the name of one that ships, or from a file.  Raises ConfigError with file and line."""
    if isinstance(name, str) and name in shipped():
        text = (files("simulator") / "scenarios" / f"{name}.yaml").read_text(encoding="utf-8")
        return convert(read_text(text, f"scenarios/{name}.yaml"), Scenario)
    try:
        return convert(read(name), Scenario)
    except ConfigError as error:
        if Path(name).exists():
            raise
        known = f"is no file and no scenario that ships; those are {', '.join(shipped())}"
        raise ConfigError([Problem(str(name), 0, 0, "", known)]) from error
