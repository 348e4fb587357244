import { measure } from '../harness/measure.ts';
import type { Answer, Chosen } from '../harness/request.ts';
import type { Shape } from '../harness/shapes.ts';
import { LIMITS, type Limit } from '../limits.ts';
import { shortNumber } from '../report/results.ts';

/** A median of so many rounds is steady to a few per cent. */
const ROUNDS = 11;

/** A limit and what was measured for it; undefined where the machine was too busy to tell. */
interface Measured {
  readonly limit: Limit;
  readonly value: number | undefined;
}

/** Measures what is limited, and once more what looks broken; false where it still does. */
export async function gate(): Promise<boolean> {
  const first = await measureAll(LIMITS);
  const broken = first.filter((each) => !holds(each)).map(({ limit }) => limit);
  const again = broken.length === 0 ? [] : await measureAll(broken);
  const measured = first.map((each) => again.find(({ limit }) => limit === each.limit) ?? each);
  for (const each of measured) console.log(line(each));
  const failed = measured.filter((each) => !holds(each)).length;
  console.log(failed === 0 ? `gate: ${measured.length} limits, all hold` : `gate: ${measured.length} limits, ${failed} broken`);
  return failed === 0;
}

export function holds({ limit: { figure, limit }, value }: Measured): boolean {
  if (value === undefined) return false;
  return figure.is === 'lead' ? value >= limit : value <= limit;
}

/** One line a limit: what, measured, limit, goal. */
export function line(measured: Measured): string {
  const { limit, value } = measured;
  const { of, figure } = limit;
  const unit = { ratio: 'bare awaits', bytes: 'bytes', lead: 'times faster' }[figure.is];
  const bound = figure.is === 'lead' ? 'at least' : 'at most';
  const what = `${of.group}: ${of.subject}${figure.is === 'lead' ? ` than ${figure.over}` : ''}${figure.is === 'bytes' ? '' : `, ${figure.shape.name}`}`;
  const found = value === undefined ? 'not measured' : shortNumber(value);
  return `${holds(measured) ? 'ok    ' : 'broken'} ${what}: ${found} ${unit} (${bound} ${limit.limit}; goal ${limit.goal})`;
}

/** The measured value of each limit, from as few processes as can be. */
async function measureAll(limits: readonly Limit[]): Promise<Measured[]> {
  const shapes = new Set(limits.flatMap(({ figure }) => (figure.is === 'bytes' ? [] : [figure.shape])));
  const answers = new Map<Shape | 'bytes', Answer>();
  for (const shape of shapes) {
    const chosen = limits.filter(({ figure }) => figure.is !== 'bytes' && figure.shape === shape).flatMap(subjectsOf);
    answers.set(shape, await measure({ what: 'ratios', shape: shape.name, rounds: ROUNDS, chosen }));
  }
  const weighed = limits.filter(({ figure }) => figure.is === 'bytes').flatMap(subjectsOf);
  if (weighed.length > 0) answers.set('bytes', await measure({ what: 'bytes', chosen: weighed }));
  return limits.map((limit) => ({ limit, value: figureOf(limit, answers) }));
}

function subjectsOf({ of, figure }: Limit): Chosen[] {
  return figure.is === 'lead' ? [of, { group: of.group, subject: figure.over }] : [of];
}

function figureOf({ of, figure }: Limit, answers: ReadonlyMap<Shape | 'bytes', Answer>): number | undefined {
  const is = (subject: string) => (each: Chosen) => each.group === of.group && each.subject === subject;
  if (figure.is === 'bytes') return answers.get('bytes')?.bytes.find(is(of.subject))?.bytes ?? undefined;
  const { ratios = [] } = answers.get(figure.shape) ?? {};
  const ours = ratios.find(is(of.subject))?.median;
  if (figure.is === 'ratio') return ours;
  const theirs = ratios.find(is(figure.over))?.median;
  return ours === undefined || theirs === undefined ? undefined : theirs / ours;
}
