"""What was asked: the title, the purpose, and the measures in words with their dates."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from backfill.reports.names import goods, places
from backfill.reports.words import amount, capital, day, listed, per_cent, plain

Fields = Mapping[str, Any]


@dataclass(frozen=True)
class Asked:
    """A measure in words.

    Attributes:
        name: what results call it.
        what: what it does, in a sentence.
        when: days on which it is in force.
        source: where it comes from.
        part_of: experiments it was included from; empty if the experiment has it itself.
    """

    name: str
    what: str
    when: str
    source: str
    part_of: str


@dataclass(frozen=True)
class Question:
    """What an experiment asks.

    Attributes:
        title, purpose: the experiment's.
        reference: what it is compared with.
        span: the years it covers.
        foresight: what builders of capacity know.
        own: measures of the experiment itself.
        included: those of the experiments it builds on.
    """

    title: str
    purpose: str
    reference: str
    span: str
    foresight: str
    own: tuple[Asked, ...]
    included: tuple[Asked, ...]


FORESIGHT = {
    "perfect": "builders of capacity foresee every measure from its announcement on",
    "myopic": "builders of capacity expect the world of today to last",
    "fixed": "capacity stays as in the reference",
}


def question(resolved: str, name: str) -> Question:
    """What the text of ``resolved.toml`` asks; of a text that says little, little."""
    try:
        read = tomllib.loads(resolved)
    except tomllib.TOMLDecodeError:
        read = {}
    horizon = read.get("horizon", {})
    span = f"{horizon['first']} to {horizon['last']}" if {"first", "last"} <= set(horizon) else ""
    halves = ", in half-years" if horizon.get("periods_per_year") == 2 else ""
    every = [asked(one) for one in read.get("measures", ())]
    own = tuple(one for one in every if not one.part_of)
    included = tuple(one for one in every if one.part_of)
    return Question(
        title=str(read.get("title") or name),
        purpose=" ".join(str(read.get("purpose", "")).split()),
        reference=str(read.get("reference", "")),
        span=span + halves if span else "",
        foresight=FORESIGHT.get(str(read.get("foresight", "")), ""),
        own=own or included,
        included=included if own else (),
    )


def asked(measure: Fields) -> Asked:
    """A measure of a resolved experiment in words."""
    kind = str(measure.get("kind", ""))
    return Asked(
        name=str(measure.get("name") or kind.replace("_", " ")),
        what=f"{capital(_told(measure))}.",
        when=when(measure),
        source=str(measure.get("source", "")),
        part_of=str(measure.get("included_from", "")).partition(" > ")[0],
    )


def _told(measure: Fields) -> str:
    kind = str(measure.get("kind", ""))
    try:
        return _KINDS[kind](measure)
    except (KeyError, TypeError, ValueError):
        return f"{kind.replace('_', ' ')}: {_plainly(measure)}"


def when(measure: Fields) -> str:
    """Days in force: ``from 1 July 2026``, ``7 October 2022 to 14 January 2026``."""
    begin, until, announced = (measure.get(key) for key in ("from", "until", "announced"))
    last = until - dt.timedelta(days=1) if isinstance(until, dt.date) else None
    if isinstance(begin, dt.date) and last:
        told = f"{day(begin)} to {day(last)}"
    elif isinstance(begin, dt.date):
        told = f"from {day(begin)}"
    else:
        told = f"until {day(last)}" if last else "all years"
    if isinstance(announced, dt.date) and announced != begin:
        told += f"; announced {day(announced)}"
    if ended := measure.get("supersedes"):
        told += f"; takes the place of {', '.join(_several(ended))}"
    withdrawn = measure.get("withdrawn")
    return told + (f"; withdrawn {day(withdrawn)}" if isinstance(withdrawn, dt.date) else "")


def _several(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list | tuple) else [str(value)]


def _who(measure: Fields, key: str = "by") -> str:
    return places(_several(measure[key]))


def _verb(measure: Fields, one: str, more: str, key: str = "by") -> str:
    codes = _several(measure[key])
    plural = {"USA", "us", "NLD", "ally", "partner", "hubs", "GLF", "OAL", "all"}
    return more if len(codes) > 1 or codes[0] in plural - {"all"} else one


def _goods(measure: Fields) -> str:
    return goods(_several(measure.get("products", "all")))


def _to(measure: Fields, key: str = "destinations") -> str:
    return places(_several(measure[key]))


def _hubs(measure: Fields) -> str:
    return places(_several(measure.get("hubs", "hubs")))


def _control(m: Fields) -> str:
    licence = m.get("licence", "deny")
    verb = _verb(m, "stops", "stop")
    users = " to builders of advanced capacity" if m.get("end_use") == "advanced" else ""
    told = (
        f"{_who(m)} {verb} sales of {_goods(m)}{users} in {_to(m)}"
        if users
        else f"{_who(m)} {verb} sales of {_goods(m)} to {_to(m)}"
    )
    if isinstance(licence, Mapping):
        told = (
            f"{_who(m)} {_verb(m, 'caps', 'cap')} sales of {_goods(m)} to {_to(m)} at {amount(licence['cap'], licence['unit'])} "
            f"a year"
        )
    if m.get("coverage") is not None:
        told += f", for {per_cent(m['coverage'])} of buyers"
    if m.get("threshold"):
        told += f", where they are above {listed([_line(one) for one in _tables(m['threshold'])], last='or')}"
    return told + (f"; {places(_several(m['exempt']))} exempt" if m.get("exempt") else "")


def _tables(value: object) -> list[Mapping[str, float]]:
    return list(value) if isinstance(value, list | tuple) else [value]  # type: ignore[list-item]


_LINES = {
    "tpp": "a total processing performance of {}",
    "interconnect": "{} GB/s of interconnect",
    "performance_density": "a performance density of {}",
    "memory_bandwidth": "{} GB/s of memory bandwidth",
    "hbm_density": "{} GB/s of memory bandwidth per mm²",
}


def _line(line: Mapping[str, float]) -> str:
    return listed([_LINES.get(key, key.replace("_", " ") + " {}").format(plain(value)) for key, value in line.items()])


def _retaliation(m: Fields) -> str:
    inner = _told({"by": m["by"], **m["measure"]}) if m.get("measure") else "in kind"
    return f"{_who(m)} {_verb(m, 'answers', 'answer')} controls by {_to(m, 'against')}: {inner}"


_KINDS: dict[str, Callable[[Fields], str]] = {
    "alignment": lambda m: (
        f"{_who(m, 'region')} {_verb(m, 'adopts', 'adopt', 'region')} the controls of {_who(m, 'with')} on {_goods(m)}, "
        + ("in full" if m["level"] == 1 else f"at {per_cent(m['level'])} of their coverage")
    ),
    "cloud_control": lambda m: (
        f"{_who(m)} {_verb(m, 'closes', 'close')} compute rented from {_to(m, 'providers')} to {per_cent(m['coverage'])} "
        f"of users in {_to(m)}"
    ),
    "country_cap": lambda m: (
        f"{_who(m)} {_verb(m, 'caps', 'cap')} what {_to(m)} may buy of {_goods(m)} at {amount(m['quantity'], m['unit'])} "
        f"each over "
        f"{plain(m.get('window_years', 1.0))} years"
    ),
    "domestic_mandate": lambda m: (
        f"in {_who(m, 'region')} at least {per_cent(m['share'])} of purchases of {_goods(m)} must be made at home"
    ),
    "end_use_monitoring": lambda m: (
        f"{_who(m)} {_verb(m, 'makes', 'make')} {plain(m['checks'])} checks a year of buyers of {_goods(m)} in {_hubs(m)}"
    ),
    "enforcement": lambda m: (
        f"{_who(m)} {_verb(m, 'spends', 'spend')} {plain(m['budget'])} times the base year's budget on finding "
        f"diverted goods in {_hubs(m)}"
    ),
    "export_control": _control,
    "export_levy": lambda m: (
        f"{_who(m)} {_verb(m, 'takes', 'take')} {per_cent(m['rate'])} of the price of {_goods(m)} sold to {_to(m)}"
    ),
    "export_promotion": lambda m: (
        f"{_who(m)} {_verb(m, 'sells', 'sell')} packages of {_goods(m)} to {_to(m)} at "
        f"{per_cent(m.get('subsidy_equivalent', 0.05))} below their price"
    ),
    "foreign_direct_product_rule": lambda m: (
        f"{_who(m)} {_verb(m, 'extends', 'extend')} {_verb(m, 'its', 'their')} controls to {_goods(m)} made elsewhere with "
        f"{_verb(m, 'its', 'their')} technology and sold to {_to(m)}, which {per_cent(m.get('compliance', 0.5))} of makers obey"
        + (f"; {places(_several(m['exempt']))} exempt" if m.get("exempt") else "")
    ),
    "import_restraint": lambda m: (
        f"{_who(m)} {_verb(m, 'lets', 'let')} only {per_cent(m['accepted'])} of buyers take {_goods(m)} from {_to(m, 'origins')}"
        if m.get("accepted") is not None
        else (
            f"{_who(m)} {_verb(m, 'holds', 'hold')} imports of {_goods(m)} from {_to(m, 'origins')} below "
            f"{amount(m['cap'], m['unit'])} a year"
        )
    ),
    "industrial_subsidy": lambda m: (
        f"{_who(m, 'region')} {_verb(m, 'pays', 'pay', 'region')} {per_cent(m['rate'])} of the cost of new "
        f"capacity for {_goods(m)}"
    ),
    "know_your_customer": lambda m: (
        f"sellers of {_goods(m)} check their customers in {_hubs(m)}, which costs {per_cent(m.get('cost', 0.002))} "
        f"of the price and finds "
        f"{per_cent(m.get('detection', 0.1))} of what is diverted"
    ),
    "location_verification": lambda m: (
        f"{per_cent(m.get('coverage', 1.0))} of the {_goods(m)} sold report where they are, by which "
        f"{per_cent(m.get('effect', 0.5))} of those diverted through {_hubs(m)} are found"
    ),
    "procurement_ban": lambda m: (
        f"{per_cent(m['share'])} of buyers in {_to(m, 'buyers')} may not buy {_goods(m)} from {_to(m, 'origins')}"
    ),
    "redesign": lambda m: (
        f"sellers of {_goods(m)} bring out variants just under the line for {_to(m)}, {plain(m.get('lag', 0.75))} "
        f"years later and at "
        f"{per_cent(m.get('cost', 0.1))} of the price more"
    ),
    "research_protection": lambda m: (
        f"{_who(m)} {_verb(m, 'cuts', 'cut')} by {per_cent(m.get('cut', 0.05))} the knowledge about {_goods(m)} "
        f"that reaches {_to(m)}"
    ),
    "retaliation": _retaliation,
    "secondary_tariff": lambda m: (
        f"{_who(m)} {_verb(m, 'puts', 'put')} a duty of {per_cent(m['rate'])} on {_goods(m)} of {_to(m, 'targets')} "
        f"as long as their controls fall short or they backfill"
    ),
    "security_deal": lambda m: (
        f"{_who(m)} {_verb(m, 'lets', 'let')} {_to(m, 'destination')} buy up to {amount(m['quantity'], m['unit'])} "
        f"of {_goods(m)} a year and {_verb(m, 'watches', 'watch')} their use"
    ),
    "servicing_control": lambda m: (
        f"{_who(m)} {_verb(m, 'stops', 'stop')} servicing the tools in {_to(m)} that make {_goods(m)}: up "
        f"to {per_cent(m.get('depreciation', 0.1))} of capacity more wears out a year"
    ),
    "share_cap": lambda m: (
        f"{_who(m)} {_verb(m, 'holds', 'hold')} sales of {_goods(m)} to {_to(m)} below {per_cent(m['share'])} "
        f"of sales to {_who(m, 'reference')}"
    ),
    "tariff": lambda m: (
        f"{_who(m)} {_verb(m, 'adds', 'add')} a duty of {per_cent(m['rate'])} on {_goods(m)} from {_to(m, 'origins')}"
    ),
    "transit_permit": lambda m: (
        f"{_who(m, 'hub')} {_verb(m, 'asks', 'ask', 'hub')} {plain(m.get('notice_days', 30.0))} days' notice "
        f"of {_goods(m)} that pass: {per_cent(m.get('detection', 0.1))} of what is diverted is found"
    ),
}
"""What each kind does, in words; a kind that is not here is told by its fields."""

_SHARED = {"kind", "name", "announced", "from", "until", "until_announced", "withdrawn", "supersedes", "source", "included_from"}


def _plainly(measure: Fields) -> str:
    fields = {key: value for key, value in measure.items() if key not in _SHARED}
    return ", ".join(f"{key.replace('_', ' ')} {', '.join(_several(value))}" for key, value in fields.items())
