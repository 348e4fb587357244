import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { GROUPS } from '../subjects/groups.ts';
import { nameOf, type Subject } from './case.ts';
import type { Answer, Chosen, Request } from './request.ts';
import { SEQUENTIAL, type Shape } from './shapes.ts';

const PROCESS = fileURLToPath(new URL('./measuring-process.ts', import.meta.url));
/** So much room that 10,000 calls of nearly everything fit without a collection. */
const ROOM = ['--min-semi-space-size=256', '--max-semi-space-size=512'];

/** Has a fresh process do what `request` says. Rejects if it dies. */
export function measure(request: Request): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const execArgv = [...process.execArgv, ...(request.what === 'bytes' ? ROOM : [])];
    const child = fork(PROCESS, { execArgv });
    child.once('message', (answer) => resolve(answer as Answer));
    child.once('error', reject);
    child.once('exit', (code, signal) => reject(new Error(`the measuring process ended with ${signal ?? code}`)));
    child.send(request);
  });
}

const isMeasuredIn = ({ maxInFlight = Number.POSITIVE_INFINITY, makeLoop }: Subject, shape: Shape): boolean =>
  shape.inFlight <= maxInFlight && (makeLoop === undefined || shape === SEQUENTIAL);

/** Every subject that is measured in `shape`. */
export function subjectsIn(shape: Shape): Chosen[] {
  return chosenOf(shape, (subject) => isMeasuredIn(subject, shape));
}

/** Every subject whose bytes are counted: it takes tens of thousands of calls, too many for one that waits for timers. */
export function weighedSubjects(): Chosen[] {
  return chosenOf(SEQUENTIAL, (subject) => subject.isTimerBound !== true);
}

function chosenOf(shape: Shape, isChosen: (subject: Subject) => boolean): Chosen[] {
  return GROUPS.filter((group) => group.shapes.includes(shape)).flatMap((group) =>
    group.subjects.filter(isChosen).map((subject) => ({ group: group.name, subject: nameOf(subject) })),
  );
}
