import type { Bytes, Chosen, Ratio } from '../harness/request.ts';

/** All that one run of `npm run bench -- policies` found. */
export interface Results {
  readonly node: string;
  /** What ratios are of: CPU time of the thread, or wall time. */
  readonly clock: string;
  /** The version of each library. */
  readonly versions: Readonly<Record<string, string>>;
  readonly ratios: readonly Ratio[];
  readonly bytes: readonly Bytes[];
}

export function ratioOf({ ratios }: Results, { group, subject }: Chosen, shape: string): Ratio | undefined {
  return ratios.find((each) => each.group === group && each.subject === subject && each.shape === shape);
}

export function bytesOf({ bytes }: Results, { group, subject }: Chosen): Bytes | undefined {
  return bytes.find((each) => each.group === group && each.subject === subject);
}

/** As many digits as a ratio is good for. */
export function shortNumber(value: number): string {
  if (value < 10) return value.toFixed(2);
  return value < 100 ? value.toFixed(1) : Math.round(value).toLocaleString('en-US');
}
