/** So many errors inside each other are looked at; a getter may make new ones for ever. */
const MAX_LOOKED_AT = 100;
const LINKS = ['cause', 'error', 'suppressed'] as const;

/**
 * Whether `error` is `reason` or was made around it: classification by identity, never by name (law C4). Of the Node APIs that take a
 * signal most throw an AbortError of their own whose `cause` is the reason; disposal wraps in `error` and `suppressed`.
 */
export function isCausedBy(error: unknown, reason: unknown): boolean {
  if (Object.is(error, reason)) return true;
  const seen = new Set<unknown>([error]); // errors may contain themselves, in more than one way
  for (const outer of seen) {
    if (seen.size > MAX_LOOKED_AT) return false;
    for (const inner of wrappedIn(outer)) {
      if (inner === reason) return true;
      seen.add(inner);
    }
  }
  return false;
}

/** What `error` was made around; nothing for what is no object, or where a getter throws (law F1). */
function wrappedIn(error: unknown): unknown[] {
  try {
    return LINKS.map((link) => (error as { readonly [link in (typeof LINKS)[number]]?: unknown })[link]).filter(
      (inner) => inner !== undefined,
    );
  } catch {
    return [];
  }
}
