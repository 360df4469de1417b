"""A user's own regions: merging and splitting those of the baseline."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl

from backfill.economy.schema import GRADES, DataError
from backfill.economy.tables import BaselineTables

MANY = "several"
SUMMED_PARAMETERS = ("hub_weight", "diversion_scale")


def load_mapping(path: Path) -> tuple[pl.DataFrame, list[str]]:
    """Read ``region,new_region,share``, an absent or empty share being 1, and say which shares are not between 0 and 1.

    Raises:
        DataError: missing file or column.
    """
    if not path.is_file():
        raise DataError([f"{path}: missing file: give the path of a CSV with columns region, new_region, share"])
    raw = pl.read_csv(path, infer_schema=False).with_columns(pl.all().fill_null(""))
    missing = [name for name in ("region", "new_region") if name not in raw.columns]
    if missing:
        raise DataError([f"{path}: row 1: {name}: missing: add the column" for name in missing])
    if "share" not in raw.columns:
        raw = raw.with_columns(pl.lit("").alias("share"))
    share = pl.when(pl.col("share") == "").then(pl.lit("1")).otherwise(pl.col("share")).cast(pl.Float64, strict=False)
    frame = raw.select("region", "new_region", share.alias("share"), pl.col("share").alias("given"))
    number = pl.col("share")
    bad = frame.with_row_index("row", offset=2).filter(
        number.is_null() | ~number.is_between(0, 1) | (number == 0)
    )
    faults = [
        f"{path}: row {r['row']}: share: {r['given']}: give a number above 0, at most 1"
        for r in bad.iter_rows(named=True)
    ]
    return frame.drop("given"), faults


def apply_mapping(tables: BaselineTables, path: Path) -> BaselineTables:
    """The same economy over the regions of a mapping file.

    A merged region's flows are sums; its input, margin and rent shares are output-weighted, its tariffs flow-weighted, its
    capacity the sum of capacities. A split region's parts have its technology and its share of every flow; the designer of
    an accelerator stays whole in the part with the largest share, and with it what designers buy. Regions not in the file
    stay as they are.

    Raises:
        DataError: unknown region, shares that do not sum to one, regions of two blocs merged.
    """
    frame, faults = load_mapping(path)
    known = tables.regions["region"].to_list()
    faults += _faults(frame, tables, path)
    if faults:
        raise DataError(faults)
    kept = [region for region in known if region not in frame["region"].to_list()]
    everything = pl.concat(
        [frame, pl.DataFrame({"region": kept, "new_region": kept, "share": [1.0] * len(kept)}, schema=frame.schema)]
    )
    return _Mapper(tables, everything).tables()


def _faults(frame: pl.DataFrame, tables: BaselineTables, path: Path) -> list[str]:
    known = tables.regions["region"].to_list()
    bloc = dict(tables.regions.select("region", "bloc").iter_rows())
    faults = [
        f"{path}: row {n}: region: {region}: unknown region: use one of {', '.join(known)}"
        for n, region in enumerate(frame["region"], start=2)
        if region not in known
    ]
    listed = set(frame["region"])
    for n, (region, new) in enumerate(frame.select("region", "new_region").iter_rows(), start=2):
        if new in known and new not in listed and new != region:
            faults.append(
                f"{path}: row {n}: new_region: {new}: is a region left as it is: list it too, or choose a new code"
            )
    sums = frame.group_by("region", maintain_order=True).agg(
        pl.col("share").sum(), sound=pl.col("share").is_between(0, 1).fill_null(False).all()
    )
    for region, total, sound in sums.iter_rows():
        if sound and abs(total - 1) > 1e-9:
            faults.append(f"{path}: region: {region}: its shares sum to {total:.6g}: make them sum to 1")
    for new, parts in frame.group_by("new_region", maintain_order=True).agg(pl.col("region")).iter_rows():
        blocs = {r: bloc[r] for r in parts if r in bloc}
        if len(set(blocs.values())) > 1:
            told = ", ".join(f"{r} is {b}" for r, b in blocs.items())
            faults.append(f"{path}: new_region: {new}: merges two blocs ({told}): merge only regions of one bloc")
    return faults


class _Mapper:
    """Applies one complete mapping to every table."""

    def __init__(self, tables: BaselineTables, mapping: pl.DataFrame) -> None:
        self.old = tables
        self.mapping = mapping
        largest = mapping.sort("share", descending=True, maintain_order=True).unique(
            "region", keep="first", maintain_order=True
        )
        self.main = dict(largest.select("region", "new_region").iter_rows())
        self.output = tables.flows.group_by("product", pl.col("origin").alias("region"), maintain_order=True).agg(
            pl.col("value_musd").sum().alias("output")
        )
        size = self.output.group_by("region", maintain_order=True).agg(pl.col("output").sum().alias("size"))
        self.size = tables.regions.select("region").join(size, on="region", how="left").fill_null(0.0)

    def tables(self) -> BaselineTables:
        old = self.old
        flows = self.flows()
        return replace(
            old,
            regions=self.regions(),
            flows=flows,
            tariffs=self.tariffs(),
            inputs=self.averaged(old.inputs, ("product", "input"), ("share",)),
            shares=self.averaged(old.shares, ("product",), ("margin_share", "rent_share")),
            accelerator_bill=old.accelerator_bill.with_columns(pl.col("origin").replace_strict(self.main)),
            compute_use=self.compute_use(),
            nodes=self.nodes(),
            capacity=self.capacity(),
            capacity_paths=self.capacity_paths(),
            tool_needs=self.averaged(old.tool_needs, ("product", "tool"), ("musd_per_musd",), whole=False),
            labour=self.labour(),
            parameters=self.parameters(),
        )

    def _split(self, frame: pl.DataFrame, column: str, share: str) -> pl.DataFrame:
        parts = self.mapping.rename({"region": column, "new_region": "_new", "share": share})
        return frame.join(parts, on=column, how="left", maintain_order="left").drop(column).rename({"_new": column})

    def regions(self) -> pl.DataFrame:
        joined = self.old.regions.join(self.mapping, on="region", how="left", maintain_order="left")
        return (
            joined.group_by("new_region", maintain_order=True)
            .agg(
                pl.col("name").str.join("; "),
                pl.col("bloc").first(),
                pl.col("is_hub").max(),
                _worst(),
                _source(),
            )
            .rename({"new_region": "region"})
        )

    def _bought_by_designers(self) -> dict[tuple[str, str], float]:
        """Share of a region's purchases of an item that accelerator designers make in the first year."""
        year = self.old.accelerator_bill["year"].min()
        use = self.old.compute_use.filter(pl.col("year") == year)
        made = use.group_by("product", maintain_order=True).agg(pl.col("kh100e").sum())
        bill = self.old.accelerator_bill.filter(pl.col("year") == year).join(made, on="product", maintain_order="left")
        cost = (pl.col("kusd_per_h100e") * pl.col("kh100e")).sum().alias("spent")
        spent = bill.group_by("origin", "item", maintain_order=True).agg(cost)
        paid = self._at_buyer_price().group_by("product", "destination", maintain_order=True).agg(pl.col("paid").sum())
        bought = {(p, d): v for p, d, v in paid.iter_rows()}
        return {
            (item, origin): min(1.0, value / bought[item, origin])
            for origin, item, value in spent.iter_rows()
            if bought.get((item, origin), 0) > 0
        }

    def _at_buyer_price(self) -> pl.DataFrame:
        key = ["product", "origin", "destination"]
        priced = self.old.flows.join(self.old.tariffs.select(*key, "rate"), on=key, how="left", maintain_order="left")
        rate = pl.col("rate").fill_null(0.0)
        return priced.with_columns(rate, (pl.col("value_musd") * (1 + rate)).alias("paid"))

    def _flow_parts(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Flows between the parts; what designers buy goes to the designer's part."""
        rows = [(p, r, f, self.main[r]) for (p, r), f in self._bought_by_designers().items()]
        designers = pl.DataFrame(
            rows, {"product": pl.String, "destination": pl.String, "_f": pl.Float64, "_home": pl.String}, orient="row"
        )
        parts = self._split(frame, "origin", "_so").join(
            designers, on=["product", "destination"], how="left", maintain_order="left"
        )
        parts = self._split(parts, "destination", "_sd")
        fraction = pl.col("_f").fill_null(0.0)
        here = (pl.col("_home") == pl.col("destination")).fill_null(False).cast(pl.Float64)
        return parts.with_columns((pl.col("_so") * (pl.col("_sd") * (1 - fraction) + fraction * here)).alias("_w"))

    def flows(self) -> pl.DataFrame:
        key = ["product", "origin", "destination"]
        parts = self._flow_parts(self.old.flows)
        out = (
            parts.with_columns(pl.col("value_musd") * pl.col("_w"))
            .group_by(key, maintain_order=True)
            .agg(pl.col("value_musd").sum(), _worst(), _source())
        )
        return out.filter(pl.col("value_musd") > 0).sort(key)

    def tariffs(self) -> pl.DataFrame:
        key = ["product", "origin", "destination"]
        priced = self._flow_parts(self._at_buyer_price().drop("grade", "source"))
        weight = pl.col("value_musd") * pl.col("_w")
        rates = priced.group_by(key, maintain_order=True).agg((pl.col("rate") * weight).sum() / weight.sum())
        charged = self._flow_parts(self.old.tariffs).group_by(key, maintain_order=True).agg(_worst(), _source())
        out = rates.join(charged, on=key, maintain_order="left")
        return out.filter((pl.col("rate") > 0) & (pl.col("origin") != pl.col("destination"))).sort(key)

    def averaged(
        self, frame: pl.DataFrame, keys: tuple[str, ...], values: tuple[str, ...], *, whole: bool = True
    ) -> pl.DataFrame:
        """Output-weighted means; with ``whole`` a region without a row counts as zero."""
        weighted = frame.join(self.output, on=["product", "region"], how="left", maintain_order="left").with_columns(
            pl.col("output").fill_null(0.0)
        )
        parts = self._split(weighted, "region", "_s").with_columns((pl.col("output") * pl.col("_s")).alias("_w"))
        made = (
            self._split(self.output, "region", "_s")
            .group_by("product", "region", maintain_order=True)
            .agg((pl.col("output") * pl.col("_s")).sum().alias("_all"))
        )
        group = [*keys, "region"]
        out = (
            parts.group_by(group, maintain_order=True)
            .agg(*((pl.col(v) * pl.col("_w")).sum().alias(v) for v in values), pl.col("_w").sum(), _worst(), _source())
            .join(made, on=["product", "region"], how="left")
        )
        base = pl.col("_all") if whole else pl.col("_w")
        columns = frame.columns
        return (
            out.with_columns(pl.col(v) / base for v in values).select(columns).sort([c for c in columns if c in group])
        )

    def compute_use(self) -> pl.DataFrame:
        frame = self.old.compute_use
        direct = self._split(frame.filter(pl.col("channel") == "direct"), "user", "_s").with_columns(
            pl.col("user").alias("site"), (pl.col("kh100e") * pl.col("_s")).alias("kh100e")
        )
        remote = self._split(frame.filter(pl.col("channel") != "direct"), "user", "_s")
        remote = self._split(remote, "site", "_t").with_columns(
            (pl.col("kh100e") * pl.col("_s") * pl.col("_t")).alias("kh100e")
        )
        both = pl.concat([direct.select(frame.columns), remote.select(frame.columns)])
        key = ["year", "user", "product", "channel", "site"]
        return both.group_by(key, maintain_order=True).agg(pl.col("kh100e").sum(), _worst(), _source()).sort(key)

    def _with_output(self, frame: pl.DataFrame) -> pl.DataFrame:
        sized = frame.join(self.output, on=["product", "region"], how="left", maintain_order="left").with_columns(
            pl.col("output").fill_null(0.0)
        )
        return self._split(sized, "region", "_s").with_columns((pl.col("output") * pl.col("_s")).alias("_w"))

    def nodes(self) -> pl.DataFrame:
        parts = self._with_output(self.old.nodes).with_columns(pl.col("owner").replace_strict(self.main))
        own = pl.col("owner") == pl.col("region")
        same = self.old.nodes.filter(pl.col("owner") == pl.col("region")).select("product", "region")
        at_home = (
            self._split(same, "region", "_h")
            .select("product", "region")
            .unique()
            .with_columns(pl.lit(True).alias("_home"))
        )
        parts = parts.join(at_home, on=["product", "region"], how="left", maintain_order="left")
        owner = pl.when(pl.col("_home").fill_null(False) | own).then(pl.col("region")).otherwise(pl.col("owner"))
        weight = pl.col("_w").sum()
        mean = [((pl.col(v) * pl.col("_w")).sum() / weight).alias(v) for v in ("depreciation", "adjustment")]
        by_size = parts.with_columns(owner.alias("owner")).sort("_w", descending=True, maintain_order=True)
        out = by_size.group_by("product", "region", maintain_order=True).agg(
            pl.col("owner").first(),
            *mean,
            pl.col("lag_years").first(),
            _worst(),
            _source(),
        )
        return out.select(self.old.nodes.columns).sort("product", "region")

    def capacity(self) -> pl.DataFrame:
        parts = self._with_output(self.old.capacity)
        key = ["year", "product", "region"]
        out = parts.group_by(key, maintain_order=True).agg(
            (pl.col("_w").sum() / (pl.col("_w") / pl.col("utilisation")).sum()).alias("utilisation"),
            ((pl.col("rent_share") * pl.col("_w")).sum() / pl.col("_w").sum()).alias("rent_share"),
            _worst(),
            _source(),
        )
        return out.select(self.old.capacity.columns).sort(key)

    def capacity_paths(self) -> pl.DataFrame:
        key = ["year", "product", "region"]
        out = self._with_output(self.old.capacity_paths).group_by(key, maintain_order=True).agg(
            ((pl.col("index") * pl.col("_w")).sum() / pl.col("_w").sum()).alias("index"), _worst(), _source()
        )
        return out.select(self.old.capacity_paths.columns).sort(key)

    def labour(self) -> pl.DataFrame:
        sized = self.old.labour.join(self.size, on="region", how="left", maintain_order="left")
        parts = self._split(sized, "region", "_s").with_columns((pl.col("size") * pl.col("_s")).alias("_w"))
        out = parts.group_by("year", "region", maintain_order=True).agg(
            ((pl.col("index") * pl.col("_w")).sum() / pl.col("_w").sum()).alias("index"), _worst(), _source()
        )
        return out.select(self.old.labour.columns).sort("year", "region")

    def parameters(self) -> pl.DataFrame:
        frame = self.old.parameters
        general = frame.filter(pl.col("region") == "")
        sized = frame.filter(pl.col("region") != "").join(self.size, on="region", how="left", maintain_order="left")
        parts = self._split(sized, "region", "_s")
        summed = pl.col("parameter").is_in(SUMMED_PARAMETERS)
        parts = parts.with_columns(
            pl.when(summed)
            .then(pl.col("_s"))
            .otherwise(
                pl.col("size")
                * pl.col("_s")
                / (pl.col("size") * pl.col("_s")).sum().over("parameter", "product", "region")
            )
            .alias("_w")
        )
        key = ["parameter", "product", "region"]
        regional = parts.group_by(key, maintain_order=True).agg(
            *((pl.col(v) * pl.col("_w")).sum().alias(v) for v in ("central", "low", "high")),
            pl.col("unit").first(),
            _worst(),
            _source(),
        )
        return pl.concat([general, regional.select(frame.columns)]).sort(key)


def _worst() -> pl.Expr:
    rank = pl.col("grade").replace_strict({grade: n for n, grade in enumerate(GRADES)}, return_dtype=pl.Int64)
    return rank.max().replace_strict(dict(enumerate(GRADES)), return_dtype=pl.String).alias("grade")


def _source() -> pl.Expr:
    only = pl.col("source").n_unique() == 1
    return pl.when(only).then(pl.col("source").first()).otherwise(pl.lit(MANY)).alias("source")
