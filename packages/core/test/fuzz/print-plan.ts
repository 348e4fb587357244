import type { Action, CallSpec, LayerSpec, RunSpec, StackPlan } from './stack-plan.ts';

const fields = (object: object, ...hidden: string[]): string =>
  Object.entries(object)
    .filter(([key, value]) => !hidden.includes(key) && value !== undefined && value !== false)
    .map(([key, value]) => (value === true ? key : `${key} ${typeof value === 'object' ? `(${fields(value as object)})` : String(value)}`))
    .join(', ');

const action = (act: Action): string => fields(act).replace('do ', '');

function layer(spec: LayerSpec, indent: string): string {
  const meddle =
    spec.meddle === undefined ? '' : `; ${spec.meddle.nth}. ${spec.meddle.hook}: ${action(spec.meddle.action)} ${spec.meddle.when}`;
  const own = fields(spec, 'kind', 'inner', 'guard', 'meddle');
  const inner = 'inner' in spec ? spec.inner.map((each) => `\n${layer(each, `${indent}  `)}`).join('') : '';
  return `${indent}${spec.kind}(${own})${spec.guard ? '' : ' unguarded'}${meddle}${inner}`;
}

const run = (spec: RunSpec): string => {
  const { atStart, inAbort } = spec;
  const acts = [atStart && `at start ${action(atStart)}`, inAbort && `in abort ${action(inAbort)}`].filter(Boolean).join(', ');
  return `[${fields(spec, 'shape', 'atStart', 'inAbort')}${spec.shape === 'native' ? '' : ', a thenable'}${acts === '' ? '' : `, ${acts}`}]`;
};

const call = (name: string, spec: CallSpec): string =>
  `  ${name}: ${fields(spec, 'runs', 'idempotent')}${spec.idempotent ? '' : ', not idempotent'}; runs ${spec.runs.map(run).join(' ')}`;

/** A plan as a reader wants it: the stack, the calls, the signals. */
export function printPlan(plan: StackPlan): string {
  const aborted = plan.signals.flatMap(({ abortAtMs }, index) => (abortAtMs === undefined ? [] : [`signal ${index} at ${abortAtMs} ms`]));
  const text = JSON.stringify(plan);
  return [
    ...(plan.scope === undefined ? [] : [`in a scope: ${fields(plan.scope)}`]),
    'layers, outermost first:',
    ...plan.layers.map((each) => layer(each, '  ')),
    'calls:',
    ...plan.calls.map((each, index) => call(`call ${index}`, each)),
    ...plan.spares.flatMap((each, index) => (text.includes(`"spare":${index}`) ? [call(`spare ${index}`, each)] : [])),
    `aborted: ${aborted.join(', ') || 'none'}`,
    ...plan.listeners.map((each) => `listener of ${each.channel}: event ${each.nth}: ${action(each.action)}`),
  ].join('\n');
}
