const verdicts = (hook: string, ...names: readonly string[]): string[] => names.map((name) => `${hook}: ${name}`);
const endings = [
  'value',
  'undefined',
  'disposable',
  'throttled value',
  'error',
  'text',
  'throttled error',
  'permanent error',
  'abort-like error',
];

/** What the stacks have to reach between them; else the fuzz proves less than it says. */
export const REACHED: readonly string[] = [
  ...verdicts('enter', 'proceed', 'wait', 'park', 'reject', 'replace', 'consult', 'again'),
  'enter: queue',
  ...verdicts('due', 'proceed', 'queue', 'wait', 'park', 'reject', 'replace', 'again'),
  ...verdicts('consulted', 'proceed', 'wait', 'park', 'reject', 'replace', 'run', 'again', 'consult', 'done'),
  ...verdicts('succeed', 'done', 'again', 'replace', 'run', 'reject', 'consult', 'wait'),
  ...verdicts('fail', 'done', 'again', 'replace', 'run', 'reject', 'consult', 'wait'),
  ...['waiting', 'open', 'again', 'asking'].map((state) => `abandoned while '${state}'`),
  ...endings.flatMap((ending) => [`an operation: at once, native, ${ending}`, `an operation: later, native, ${ending}`]),
  ...endings.map((ending) => `an operation: later, thenable, ${ending}`),
  ...['TIMEOUT', 'CANCELLED', 'UNSUPPORTED', 'BULKHEAD_FULL', 'CIRCUIT_OPEN', 'CLOSED', 'OPTION', 'RATE_LIMITED', 'SCOPE_CLOSED'].map(
    (code) => `a call: ERR_${code}`,
  ),
  ...['dropped for another', 'its own value', 'a replaced value', 'its own error', 'an error of a layer', 'the reason of its signal'].map(
    (end) => `a call: ${end}`,
  ),
  ...[
    'told of a start',
    'a limit passed',
    'a limit passed over what is held',
    'held work',
    'an abort listener',
    'an abort of a pending call',
  ],
];
