"""What pydantic finds wrong, as mistakes with their place in the file and a remedy."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from backfill.errors import (
    DateOrderError,
    MissingKeyError,
    NotFiniteError,
    OutOfRangeError,
    RateTooLowError,
    UnknownChoiceError,
    UnknownKeyError,
    UnknownProductError,
    UnknownRegionError,
    UnknownUnitError,
    UserError,
    WrongTypeError,
    did_you_mean,
)

_BY_NAME: dict[str, type[UserError]] = {
    "unknown_region": UnknownRegionError,
    "unknown_product": UnknownProductError,
    "unknown_unit": UnknownUnitError,
    "unknown_choice": UnknownChoiceError,
    "missing_here": MissingKeyError,
    "out_of_place": UnknownKeyError,
    "empty_list": WrongTypeError,
    "bad_name": WrongTypeError,
    "wrong_type": WrongTypeError,
    "date_order": DateOrderError,
    "out_of_range": OutOfRangeError,
}

_TYPES = {
    "float": "a number such as 0.25",
    "int": "a whole number",
    "bool": "true or false",
    "string": "text in quotes",
    "date": "a date without quotes, such as 2022-10-07",
    "tuple": "a name in quotes or a list of them",
    "list": "a list",
    "dict": "a table",
    "model": "a table",
}


def faults(
    found: ValidationError,
    file: str,
    prefix: str = "",
    keys: Iterable[str] = (),
    within: Mapping[str, Iterable[str]] | None = None,
) -> list[UserError]:
    """One mistake for each thing pydantic found.

    Args:
        found: what it raised.
        file: file to name.
        prefix: path of the validated part inside the file, e.g. ``"measures[2]"``.
        keys: keys that exist where a key is unknown.
        within: those of tables inside it, by their own key.
    """
    known, inner = list(keys), {key: list(names) for key, names in (within or {}).items()}
    return [
        fault
        for error in found.errors(include_url=False)
        for fault in _from(error, file, prefix, inner.get(str(error["loc"][0]), known) if len(error["loc"]) > 1 else known)
    ]


def path(prefix: str, *parts: str | int) -> str:
    """A key path; items of lists count from 1."""
    text = prefix
    for part in parts:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def unknown_keys(
    raw: Mapping[str, Any], keys: Iterable[str], file: str, prefix: str = "", told: Iterable[str] | None = None
) -> list[UserError]:
    """Keys of a table that nobody reads; the remedy names the keys ``told``, all that are read if None."""
    known = list(keys)
    shown = known if told is None else list(told)
    return [
        UnknownKeyError(
            file, path(prefix, key), value, did_you_mean(key, shown, f"no such key; there are {', '.join(shown)}")
        )
        for key, value in raw.items()
        if key not in known
    ]


def rows(raw: Mapping[str, Any], name: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Tables of a list in a file as read, with their places; what is no table is left to pydantic."""
    listed = raw.get(name)
    return ((n, one) for n, one in enumerate(listed if isinstance(listed, list) else []) if isinstance(one, Mapping))


def known_only(
    raw: Any,
    key: str,
    whole: type[BaseModel],
    tables: Mapping[str, type[BaseModel]],
    lists: Mapping[str, type[BaseModel]],
    file: str,
    wrong: list[UserError],
) -> Any:
    """A table without keys nobody reads, which are reported with what may have been meant.

    Args:
        raw: the table as read.
        key: its place in the file.
        whole, tables, lists: types of the table, of tables in it, and of the rows of lists of tables in it.
        file: file to name.
        wrong: where what is found is added.
    """

    def kept(table: Any, model: type[BaseModel], prefix: str) -> Any:
        if not isinstance(table, Mapping):
            return table
        keys = [field.alias or name for name, field in model.model_fields.items()]
        wrong.extend(unknown_keys(table, keys, file, prefix))
        return {name: value for name, value in table.items() if name in keys}

    found = kept(raw, whole, key)
    if not isinstance(found, Mapping):
        return found
    found = dict(found)
    for name, model in tables.items():
        if name in found:
            found[name] = kept(found[name], model, path(key, name))
    for name, model in lists.items():
        if isinstance(found.get(name), list):
            found[name] = [kept(one, model, path(key, name, n)) for n, one in enumerate(found[name])]
    return found


def date_order(raw: Mapping[str, Any], file: str, prefix: str) -> list[UserError]:
    """Dates of a measure out of order: announced, from, until."""
    late = []
    ended, end = raw.get("until_announced"), raw.get("until")
    if type(ended) is dt.date and (type(end) is not dt.date or ended > end):
        late.append(DateOrderError(file, path(prefix, "until_announced"), ended, "must be on or before until; give both"))
    gone, begun = raw.get("withdrawn"), raw.get("from")
    if type(gone) is dt.date and type(begun) is dt.date and gone > begun:
        late.append(DateOrderError(file, path(prefix, "withdrawn"), gone, "is after from; give until instead"))
    dates = [(key, raw[key]) for key in ("announced", "from", "until") if type(raw.get(key)) is dt.date]
    for (before, first), (after, then) in zip(dates, dates[1:], strict=False):
        if then < first or (then == first and after == "until"):
            wanted = "the first day no longer in force, after" if after == "until" else "on or after"
            late.append(DateOrderError(file, path(prefix, after), then, f"must be {wanted} {before} ({first.isoformat()})"))
    return late


def _from(error: ErrorDetails, file: str, prefix: str, known: list[str]) -> list[UserError]:
    kind, context = error["type"], error.get("ctx", {})
    where, value = path(prefix, *error["loc"]), error["input"]
    if "faults" in context:
        return [_BY_NAME[kind](file, where, name, remedy) for name, remedy in context["faults"]]
    if kind in _BY_NAME:
        key = context.get("key")
        shown = context.get("value") if key else value
        return [_BY_NAME[kind](file, path(where, key) if key else where, shown, context.get("remedy", error["msg"]))]
    return [_standard(error, file, where, value, context, known)]


def _standard(
    error: ErrorDetails, file: str, where: str, value: Any, context: Mapping[str, Any], known: list[str]
) -> UserError:
    kind = error["type"]
    if kind == "missing":
        return MissingKeyError(file, where, None, "is missing; it has no default")
    if kind == "extra_forbidden":
        told = f"no such key; there are {', '.join(known)}" if known else "no such key"
        return UnknownKeyError(file, where, value, did_you_mean(str(error["loc"][-1]), known, told))
    if kind == "finite_number" or (isinstance(value, float) and (value != value or abs(value) == float("inf"))):
        return NotFiniteError(file, where, value, "give a finite number")
    if kind == "literal_error":
        choices = str(context["expected"]).replace("'", "").replace(" or ", ", ").split(", ")
        cls = UnknownUnitError if where.endswith("unit") else UnknownChoiceError
        return cls(file, where, value, did_you_mean(str(value), choices, f"one of {', '.join(choices)}"))
    if kind.startswith(("greater_than", "less_than")):
        bound, side = next((context[key], key) for key in ("ge", "gt", "le", "lt") if key in context)
        words = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}[side]
        if side == "gt" and bound == -1:
            return RateTooLowError(file, where, value, "a rate is above -1; write -0.25 to take off 25%")
        percent = "; a share, write 0.25 for 25%" if bound in (1, 10) and side == "le" else ""
        return OutOfRangeError(file, where, value, f"must be {words} {bound:g}{percent}")
    if kind in ("too_short", "too_long"):
        count = context["min_length" if kind == "too_short" else "max_length"]
        told = f"{'at least' if kind == 'too_short' else 'at most'} {count:,} {'value' if count == 1 else 'values'}"
        return OutOfRangeError(file, where, value, f"must have {told}")
    expected = next((words for stem, words in _TYPES.items() if kind.startswith(stem)), None)
    return WrongTypeError(file, where, value, f"must be {expected}" if expected else error["msg"])
