/**
 * The host's own histograms in the format of Prometheus.
 *
 * @module
 */

import { Histogram as PrometheusHistogram } from "prom-client";
import type { HistogramValues } from "./histogram.ts";

/** A histogram under its labels. */
export interface LabelledHistogram<Label extends string> {
  readonly labels: Readonly<Record<Label, string>>;
  readonly values: HistogramValues;
}

export interface HistogramMetricOptions<Label extends string> {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly Label[];
  readonly bounds: readonly number[];
  /** Observed values per unit of the metric: 1000 where milliseconds are observed and the metric is in seconds. */
  readonly unit: number;
  /** Called at each scrape. */
  readonly read: () => Iterable<LabelledHistogram<Label>>;
}

/**
 * A histogram that reads its buckets at the scrape; prom-client's own only takes observations. The registry and the
 * base class get a histogram's values from `getForPromString`.
 */
export class HistogramMetric<Label extends string> extends PrometheusHistogram<Label> {
  readonly #options: HistogramMetricOptions<Label>;

  constructor(options: HistogramMetricOptions<Label>) {
    const { name, help, labelNames, bounds, unit } = options;
    super({ name, help, labelNames: [...labelNames], buckets: bounds.map((bound) => bound / unit), registers: [] });
    this.#options = options;
  }

  async getForPromString(): Promise<HistogramSnapshot> {
    const { name, help, read } = this.#options;
    const values = [...read()].flatMap((histogram) => this.#samples(histogram));
    return { name, help, type: "histogram", aggregator: "sum", values };
  }

  #samples({ labels: sharedLabels, values: { bounds, counts, count, sum } }: LabelledHistogram<Label>): Sample[] {
    const { name, unit } = this.#options;
    const bucket = (le: number | "+Inf", value: number): Sample => {
      return { metricName: `${name}_bucket`, labels: { le }, sharedLabels, value };
    };
    let below = 0;
    const buckets = bounds.map((bound, index) => {
      below += counts[index] ?? 0;
      return bucket(bound / unit, below);
    });
    return [
      ...buckets,
      bucket("+Inf", count),
      { metricName: `${name}_sum`, labels: {}, sharedLabels, value: sum / unit },
      { metricName: `${name}_count`, labels: {}, sharedLabels, value: count },
    ];
  }
}

/** A histogram as prom-client represents it. */
interface HistogramSnapshot {
  readonly name: string;
  readonly help: string;
  readonly type: "histogram";
  readonly aggregator: "sum";
  readonly values: readonly Sample[];
}

interface Sample {
  readonly metricName: string;
  readonly labels: { readonly le?: number | "+Inf" };
  readonly sharedLabels: Readonly<Record<string, string>>;
  readonly value: number;
}
