/** The middle half of some samples, and its middle. */
export interface Spread {
  readonly median: number;
  readonly lowerQuartile: number;
  readonly upperQuartile: number;
}

/** The value below which the share `fraction` of `samples` lies, interpolated; NaN without samples. */
export function quantile(samples: readonly number[], fraction: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const position = (sorted.length - 1) * fraction;
  const below = sorted[Math.floor(position)] ?? Number.NaN;
  const above = sorted[Math.ceil(position)] ?? Number.NaN;
  return below + (above - below) * (position - Math.floor(position));
}

export function median(samples: readonly number[]): number {
  return quantile(samples, 0.5);
}

export function spread(samples: readonly number[]): Spread {
  return { median: median(samples), lowerQuartile: quantile(samples, 0.25), upperQuartile: quantile(samples, 0.75) };
}

/** Least squares: by how much `ys` grow for each 1 of `xs`. */
export function slope(xs: readonly number[], ys: readonly number[]): number {
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanX, meanY] = [mean(xs), mean(ys)];
  let above = 0;
  let below = 0;
  for (const [i, x] of xs.entries()) {
    above += (x - meanX) * ((ys[i] ?? Number.NaN) - meanY);
    below += (x - meanX) ** 2;
  }
  return above / below;
}
