"""Peering: what keeps us from seeing the windows that agents are in. For the doctor; nothing is changed.

Only kittys of this home are asked: what runs under another one is somebody else's business.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

from gitqueen.senses import kitty, processes

Found = tuple[str, bool, str, str]
"""name, ok, detail, mend: the fields of a check."""

MEND = f"put into kitty.conf, and restart kitty: {' and '.join(kitty.CONF)}"


def look(env: Mapping[str, str]) -> Iterator[Found]:
    """A check for each kitty that cannot be asked, one for all that can; none where no kitty runs."""
    running = [one.pid for one in kitty.instances(processes.everyone()) if _is_of_this_home(one.pid, env)]
    addresses = kitty.addresses(running)
    answers = {answer.address: answer for answer in kitty.ask(sorted(addresses))}
    for pid in running:
        if pid not in addresses.values():
            yield "kitty", False, f"kitty {pid} listens at no socket: its windows are known by number only", MEND
    for address, pid in sorted(addresses.items()):
        answer = answers.get(address)
        if answer is None:
            yield "kitty", False, f"kitty {pid} listens at {address}, which somebody removed", "restart kitty"
        elif answer.fault is not None:
            mend = MEND if answer.refused else f"restart kitty {pid}, or end what else listens there"
            yield "kitty", False, f"kitty {pid} at {address}: {answer.fault}", mend
    well = [answer for answer in answers.values() if answer.fault is None]
    if well:
        windows = sum(len(answer.windows) for answer in well)
        yield "kitty", True, f"{_count(windows, 'window')} in {_count(len(well), 'instance')}", ""


def _is_of_this_home(pid: int, env: Mapping[str, str]) -> bool:
    theirs = processes.environment(pid, ("HOME",)).get("HOME")
    return bool(theirs) and os.path.realpath(theirs or "") == os.path.realpath(env.get("HOME") or "/nonexistent")


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
