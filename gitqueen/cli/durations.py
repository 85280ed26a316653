"""How long, as people type it: the click type of `--ttl` and `--wait`."""

from __future__ import annotations

import click

from gitqueen import errors, settings


class Duration(click.ParamType[float]):
    """`90`, `90s`, `10m`, `2h`, `1d`, `1h30m`; seconds. 0 only where one may wait for no time at all."""

    name = "duration"

    def __init__(self, zero: bool) -> None:
        self.zero = zero

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        seconds = settings.duration(str(value))
        if not seconds and not self.zero:
            raise errors.Usage(f"{ascii(value)} is no time to hold anything", hint="write it like 10m or 2h")
        return seconds
