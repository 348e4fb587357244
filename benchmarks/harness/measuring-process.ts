// A process that measures, so that nothing else is on its heap or in its optimised code: started by measure.ts, it answers one request and ends.
import { GROUPS } from '../subjects/groups.ts';
import { bytesPerCall } from './allocations.ts';
import { type Group, nameOf, type Subject } from './case.ts';
import { measureRatios } from './ratios.ts';
import type { Answer, Bytes, Chosen, Ratio, Request } from './request.ts';
import { RunningCase } from './running-case.ts';
import { SEQUENTIAL, type Shape } from './shapes.ts';
import { bestStopwatch } from './stopwatch.ts';

interface Member {
  readonly group: Group;
  readonly subject: Subject;
}

const membersOf = (chosen: readonly Chosen[]): Member[] =>
  GROUPS.flatMap((group) =>
    group.subjects
      .filter((subject) => chosen.some((each) => each.group === group.name && each.subject === nameOf(subject)))
      .map((subject) => ({ group, subject })),
  );

const stopwatch = bestStopwatch();

async function check(members: readonly Member[]): Promise<string[]> {
  const failures: string[] = [];
  for (const { group, subject } of members) {
    try {
      await group.check(subject);
    } catch (error) {
      failures.push(`${group.name}, ${nameOf(subject)}: ${String(error)}`);
    }
  }
  return failures;
}

async function ratios(members: readonly Member[], shape: Shape, rounds = shape.rounds): Promise<Ratio[]> {
  const floor = await RunningCase.make('', undefined, shape, stopwatch);
  const cases: RunningCase[] = [];
  for (const { group, subject } of members) cases.push(await RunningCase.make(group.name, subject, shape, stopwatch));
  const measured = await measureRatios(cases, floor, rounds);
  return [...measured].map(([{ group, subject }, spread]) => ({ group, subject, shape: shape.name, ...spread }));
}

async function bytes(members: readonly Member[]): Promise<Bytes[]> {
  const found: Bytes[] = [];
  for (const { group, subject } of members) {
    const each = await RunningCase.make(group.name, subject, SEQUENTIAL, stopwatch);
    found.push({ group: each.group, subject: each.subject, bytes: (await bytesPerCall(each)) ?? null });
  }
  return found;
}

async function answer(request: Request): Promise<Answer> {
  const members = membersOf(request.chosen);
  const nothing: Answer = { clock: stopwatch.measures, ratios: [], bytes: [], failures: [] };
  switch (request.what) {
    case 'check':
      return { ...nothing, failures: await check(members) };
    case 'ratios': {
      const shape = GROUPS.flatMap((group) => group.shapes).find((each) => each.name === request.shape);
      if (shape === undefined) throw new Error(`there is no shape ${request.shape}`);
      return { ...nothing, ratios: await ratios(members, shape, request.rounds) };
    }
    case 'bytes':
      return { ...nothing, bytes: await bytes(members) };
  }
}

process.once('message', (request: Request) => {
  void answer(request).then((found) => process.send?.(found, () => process.exit())); // some peers keep timers for ever
});
