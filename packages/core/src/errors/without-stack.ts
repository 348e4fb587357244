/**
 * Makes an error without the cost of its stack: for refusals, which come in floods just when there is no time for them, and say where they
 * come from by themselves.
 */
export function withoutStack<E extends Error>(make: () => E): E {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    return make();
  } finally {
    Error.stackTraceLimit = limit;
  }
}
