"""Fields of measures that an experiment moves: found by the names of files, checked, and set."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Annotated, Any, get_args

from pydantic import BaseModel, TypeAdapter, ValidationError

from backfill.dimensions import Period, Vocabulary
from backfill.economy.tables import BaselineTables
from backfill.errors import (
    ContradictionError,
    DuplicateMeasureError,
    OutOfRangeError,
    UnknownChoiceError,
    UserError,
    did_you_mean,
)
from backfill.hats.own import OwnTables
from backfill.policy.benchmark import benchmark_flows
from backfill.policy.compile import compile_policy
from backfill.policy.faults import faults, path
from backfill.policy.measure import Measure
from backfill.policy.policy import Placed, Policy
from backfill.policy.technology import benchmark_facts
from backfill.policy.wedges import Wedges


def placed_of(policy: Policy, name: str) -> list[Placed]:
    """Measures of a name."""
    return [one for one in policy.placed if one.measure.name == name]


def attribute(model: type[BaseModel], key: str) -> str | None:
    """Name of the attribute that a file calls ``key``; None if there is none."""
    return next((name for name, field in model.model_fields.items() if key in (name, field.alias)), None)


def field_of(measure: BaseModel, key: str) -> Any:
    """Value of a field; with a dot, of a table inside."""
    first, _, rest = key.partition(".")
    value = getattr(measure, attribute(type(measure), first) or first)
    return field_of(value, rest) if rest else value


def with_field(measure: Any, key: str, value: float) -> Any:
    """The measure with another value of a field."""
    first, _, rest = key.partition(".")
    name = attribute(type(measure), first) or first
    new = with_field(getattr(measure, name), rest, value) if rest else value
    return measure.model_copy(update={name: new})


def numeric(measure: Measure | BaseModel, key: str) -> bool:
    """Whether a field exists and takes any number between its bounds."""
    first, _, rest = key.partition(".")
    name = attribute(type(measure), first)
    if name is None:
        return False
    if rest:
        inner = getattr(measure, name)
        return isinstance(inner, BaseModel) and numeric(inner, rest)
    return _takes_numbers(type(measure).model_fields[name].annotation)


def _takes_numbers(kind: Any) -> bool:
    return kind is float or any(_takes_numbers(part) for part in get_args(kind))


def numeric_fields(measure: BaseModel) -> list[str]:
    """Fields that may be levers, those of tables inside with a dot."""
    found = []
    for name, field in type(measure).model_fields.items():
        key, value = field.alias or name, getattr(measure, name)
        found += [f"{key}.{inner}" for inner in numeric_fields(value)] if isinstance(value, BaseModel) else []
        found += [key] if numeric(measure, key) else []
    return found


def unfit(measure: BaseModel, key: str, value: float) -> ValidationError | None:
    """What the field itself has against a value."""
    first, _, rest = key.partition(".")
    name = attribute(type(measure), first) or first
    if rest:
        return unfit(getattr(measure, name), rest, value)
    field = type(measure).model_fields[name]
    kind: Any = Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation
    try:
        TypeAdapter(kind).validate_python(value)
    except ValidationError as error:
        return error
    return None


def field_faults(
    measures: Sequence[str], field: str, values: Mapping[str, float], policy: Policy, file: str, key: str
) -> Iterator[UserError]:
    """Measures that do not exist, fields that are no number of theirs, and values that a field does not take.

    Args:
        measures: names of the measures whose field it is.
        field: the field.
        values: values by the key that says them.
        policy: the measures of the experiment.
        file: file to name.
        key: where the lever stands in it.
    """
    known = [one.measure.name for one in policy.placed if one.measure.name]
    for name in measures:
        found = placed_of(policy, name)
        if not found:
            remedy = did_you_mean(name, known, "is the name of no measure; give the measure this name, or name another")
            yield UnknownChoiceError(file, path(key, "measure"), name, remedy)
            continue
        measure = found[0].measure
        if not numeric(measure, field):
            fit = numeric_fields(measure)
            remedy = did_you_mean(field, fit, f"is no number of a {measure.kind}; there are {', '.join(fit) or 'none'}")
            yield UnknownChoiceError(file, path(key, "field"), field, remedy)
            continue
        for end, value in values.items():
            error = unfit(measure, field, value)
            if error is not None:
                told = faults(error, file, path(key, end))[0]
                yield OutOfRangeError(file, path(key, end), value, told.remedy)


def twice(levers: Sequence[tuple[Sequence[str], str]], file: str, table: str) -> Iterator[UserError]:
    """Fields that two levers move.

    Args:
        levers: measures and field of each.
        file: file to name.
        table: the table whose ``levers`` they are.
    """
    taken: dict[tuple[str, str], int] = {}
    for n, (measures, field) in enumerate(levers):
        for name in measures:
            other = taken.setdefault((name, field), n)
            if other != n:
                remedy = f"is levers[{other + 1}] already; remove one"
                yield DuplicateMeasureError(file, path(table, "levers", n, "field"), field, remedy)


def answering(policy: Policy) -> Iterator[UserError]:
    """Measures that answer measured backfilling: what levers move would move them."""
    told = "answers measured backfill, which levers move; leave it out"
    for one in policy.placed:
        if one.measure.answers_behaviour:
            yield ContradictionError(one.file, one.key, one.measure.kind, told)


def compiler(
    vocabulary: Vocabulary, periods: Sequence[Period], tables: BaselineTables | None, own: OwnTables | None
) -> Callable[[Policy], Wedges]:
    """What makes wedges of a policy before there is an economy, measures that change nothing allowed.

    Args:
        vocabulary, periods: what measures are compiled over.
        tables: the benchmark over other regions; the shipped one if None.
        own: a user's own economy instead of the benchmark.
    """
    exists = benchmark_flows(tables) if own is None else own.flow_exists()
    facts = benchmark_facts(tables) if own is None else None

    def compiled(policy: Policy) -> Wedges:
        return compile_policy(policy, vocabulary, tuple(periods), flow_exists=exists, facts=facts, inert_allowed=True)

    return compiled
