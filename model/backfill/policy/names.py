"""Names that stand for regions, hubs and products, and what to write instead of one that stands for none."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from backfill.dimensions import BLOCS, COUNTRY_GROUPS, OTHER_PRODUCTS, OTHER_REGIONS, Vocabulary
from backfill.errors import did_you_mean

NOBODY = "has no members in this economy"


def region_names(vocabulary: Vocabulary) -> tuple[str, ...]:
    """Every name that stands for regions."""
    blocs = tuple(dict.fromkeys(vocabulary.bloc.values()))
    groups = [name for name, bloc in COUNTRY_GROUPS.items() if bloc in blocs]
    return (*vocabulary.regions, *blocs, *groups, *hub_names(vocabulary)[-1:], "all")


def hub_names(vocabulary: Vocabulary) -> tuple[str, ...]:
    """Every name that stands for hubs."""
    return (*vocabulary.hubs, "hubs") if vocabulary.hubs else ()


def product_names(vocabulary: Vocabulary) -> tuple[str, ...]:
    """Every name that stands for products."""
    return (*vocabulary.products, *(name for name, members in vocabulary.groups.items() if members), "all")


def unknown_region(name: str, vocabulary: Vocabulary, see: str = "") -> str:
    """What to write instead of a name that stands for no region; ``see`` says where all are listed."""
    if name in (*BLOCS, "hubs"):
        return NOBODY
    return _meant(name, region_names(vocabulary), OTHER_REGIONS, vocabulary.region_names, see)


def unknown_hub(name: str, vocabulary: Vocabulary, see: str = "") -> str:
    """What to write instead of a name that stands for no hub."""
    return did_you_mean(name, hub_names(vocabulary), see=see) if vocabulary.hubs else "this economy has no hubs"


def unknown_product(name: str, vocabulary: Vocabulary, see: str = "") -> str:
    """What to write instead of a name that stands for no product."""
    if name in vocabulary.groups:
        return NOBODY
    return _meant(name, product_names(vocabulary), OTHER_PRODUCTS, vocabulary.product_names, see)


def _meant(name: str, known: Sequence[str], others: Mapping[str, str], written: Mapping[str, str], see: str) -> str:
    """What is also called by a name, else what is called nearly so.

    Args:
        known: names that can be meant.
        others: other words for them.
        written: what people call what has a code, of several members each.
        see: where all are listed.
    """
    members = {_plain(member): code for code, text in written.items() for member in text.split(", ")}
    code = {**members, **others}.get(_plain(name))
    return f'did you mean "{code}"?' if code in known else did_you_mean(name, known, see=see)


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", "_", name.strip().lower())
