// The world in the model's regions, from Natural Earth by way of the npm package world-atlas. See README.md.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { feature, merge, quantize } from "topojson-client";
import { topology } from "topojson-server";
import { filter, filterWeight, presimplify, quantile, simplify } from "topojson-simplify";

const KEPT = 0.05; // share of points that remain
const LEAST = 0.5; // area below which an island is left out, in square degrees
const GRID = 2000; // points of the grid along each side

const COUNTRIES = {
  USA: ["United States of America", "Puerto Rico"],
  TWN: ["Taiwan"],
  KOR: ["South Korea"],
  JPN: ["Japan"],
  NLD: ["Netherlands"],
  EUR: [
    "Austria", "Belgium", "Bulgaria", "Croatia", "Cyprus", "Czechia", "Denmark", "Estonia", "Finland", "France", "Germany",
    "Greece", "Hungary", "Ireland", "Italy", "Latvia", "Lithuania", "Luxembourg", "Malta", "Poland", "Portugal", "Romania",
    "Slovakia", "Slovenia", "Spain", "Sweden", "Åland", "Switzerland", "Norway", "Iceland",
  ],
  GBR: ["United Kingdom"],
  OAL: ["Canada", "Australia", "New Zealand", "Israel"],
  MEX: ["Mexico"],
  IND: ["India"],
  SGP: ["Singapore"],
  MYS: ["Malaysia"],
  ASE: ["Vietnam", "Thailand", "Philippines", "Indonesia"],
  GLF: ["United Arab Emirates", "Saudi Arabia", "Qatar"],
  TKC: ["Turkey", "Kazakhstan", "Kyrgyzstan", "Uzbekistan", "Armenia", "Georgia"],
  CHN: ["China", "Hong Kong", "Macao"],
  RUS: ["Russia", "Belarus"],
};
const LEFT_OUT = new Set(["Antarctica", "Fr. S. Antarctic Lands", "Heard I. and McDonald Is.", "S. Geo. and the Is."]);

const atlas = JSON.parse(readFileSync(createRequire(import.meta.url).resolve("world-atlas/countries-50m.json"), "utf8"));
const countries = atlas.objects.countries.geometries;
const named = new Map(Object.entries(COUNTRIES).flatMap(([region, names]) => names.map((name) => [name, region])));
for (const name of named.keys())
  if (!countries.some((one) => one.properties.name === name)) throw new Error(`no country ${name}`);

const regions = [...Object.keys(COUNTRIES), "ROW"].map((region) => ({
  type: "Feature",
  id: region,
  properties: {},
  geometry: merge(
    atlas,
    countries.filter(
      ({ properties: { name } }) => !LEFT_OUT.has(name) && (named.get(name) ?? "ROW") === region,
    ),
  ),
}));
let world = presimplify(topology({ regions: { type: "FeatureCollection", features: regions } }));
world = simplify(world, quantile(world, KEPT));
world = quantize(filter(world, filterWeight(world, LEAST)), GRID);
const drawn = feature(world, world.objects.regions).features.filter((one) => one.geometry?.coordinates?.length);
const points = regions.filter(({ id }) => !drawn.some((one) => one.id === id)).map(({ id }) => id);
console.log("too small for a shape:", points.join(", ") || "none");
world.objects.regions.geometries = world.objects.regions.geometries.filter(({ id }) => !points.includes(id));
delete world.bbox;
writeFileSync(new URL("regions.topo.json", import.meta.url), JSON.stringify(world) + "\n");
