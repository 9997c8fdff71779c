import { expect, test } from "vitest";
import { figureText, listed, medianText, plain, ranged } from "../../../bench/pages/figure-text.ts";
import { headlineText } from "../../../bench/pages/headline.ts";
import { figurePlaces } from "../../../bench/pages/places.ts";
import { type Figures, readFigures } from "../../../bench/published/figures.ts";
import { commandLine } from "../../../bench/published/publish.ts";
import { digits, times } from "../../../bench/figures/report-text.ts";

const figures = await readFigures();

/** The published figures with another throughput of kv at 64. */
function withRatio(median: number): Figures {
  const ratios = figures.basic.ratios.map((ratio) =>
    ratio.job === "kv" && ratio.concurrency === 64 ? { ...ratio, requestsPerSecond: { median } } : ratio,
  );
  return { ...figures, basic: { ...figures.basic, ratios } };
}

test("the headline, the table and the targets tell the same ratio", () => {
  const places = figurePlaces(withRatio(4.56));
  expect(places.get("headline")).toMatch(
    /^- \*\*Key-value requests\*\* are answered [\d.]+, 4\.56 and [\d.]+ times as often/,
  );
  expect(places.get("kv-ratios")).toMatch(/\| 64 +\| host-auto \| 4\.56× +\|/);
  expect(places.get("promises")).toMatch(
    /\| `kv` at 64 +\| requests\/s against `node` +\| ≥ 4× +\| 4\.56× +\| yes +\|/,
  );
});

test("a target that is missed is told as missed", () => {
  expect(figurePlaces(withRatio(3.99)).get("promises")).toMatch(/`kv` at 64 +\| requests.*3\.99× +\| no +\|/);
});

test("a headline without its figures is an error, not a gap", () => {
  expect(() => headlineText({ ...figures, basic: { ...figures.basic, ratios: [] } })).toThrow(
    /no figures of host-auto at kv/,
  );
});

test("a job that the host could not do is told as left out, not as nothing", () => {
  const cells = figures.jobs.cells.filter(({ job }) => job !== "mix");
  const others = [{ job: "mix", concurrency: 16, contender: "node", requestsPerSecond: { median: 9 } } as const];
  const jobs = { ...figures.jobs, cells: [...cells, ...others] };
  expect(figurePlaces({ ...figures, jobs }).get("jobs")).toMatch(/\| `mix` +\| left out +\|/);
});

test("a figure is shown with its spread where that is known", () => {
  expect(figureText({ median: 2.5, min: 1, max: 30 }, times)).toBe("2.50× (1.00×–30.0×)");
  expect(figureText({ median: 2.5 }, times)).toBe("2.50×");
  expect(medianText({ median: 2.5, min: 1, max: 30 }, times)).toBe("2.5×");
  expect(figureText(undefined, times)).toBe("");
});

test("digits that say nothing are left out", () => {
  expect(["2.00 ms", "0.50×", "10.0 s", "1,200", "0.063×", "100"].map(plain)).toEqual([
    "2 ms",
    "0.5×",
    "10 s",
    "1,200",
    "0.063×",
    "100",
  ]);
});

test("numbers are listed as people write them", () => {
  expect([listed(["1"]), listed(["1", "2"]), listed(["1", "2", "3"])]).toEqual(["1", "1 and 2", "1, 2 and 3"]);
  expect(ranged([0.57, 0.39, 0.5], digits)).toBe("0.39 to 0.57");
  expect(ranged([2], digits)).toBe("2.00");
});

test("a part names the command that it was measured by", () => {
  const of = (line: string): string => commandLine(["node", "bench/main.ts", ...line.split(" ")]);
  expect(of("run --quick --publish languages --jobs kv")).toBe("npm run bench -- run --quick --jobs kv");
  expect(of("run --publish=basic")).toBe("npm run bench -- run");
  expect(of("soak --publish 20000")).toBe("npm run bench -- soak 20000");
});
