// What a server says of its quotas: the RateLimit and RateLimit-Policy fields (draft-ietf-httpapi-ratelimit-headers-10), the forms of earlier drafts
// (RateLimit as a dictionary, RateLimit-Limit, -Remaining and -Reset), and X-RateLimit-* as it is found in the wild.
import { type CalleeQuota, Deadline } from 'keelson';
import { parseHttpDate } from './http-date.ts';
import type { ResponseHeaders } from './response-headers.ts';
import { type BareItem, type Member, parseMembers } from './structured-list.ts';

const SECOND_MS = 1000;
/** No quota is said for longer; what seems to be is something else. */
const MAX_RESET_MS = 366 * 24 * 3600 * SECOND_MS;
/** What is more seconds than that counts from 1970: from here on in milliseconds, which is after 1973 and, in seconds, would be after 5000. */
const FIRST_EPOCH_MS = 1e11;

/** A policy: so many in a window. */
interface Policy {
  readonly limit: number;
  readonly periodMs: number | undefined;
  readonly cost: string | undefined;
  readonly isRate: boolean;
}

/** What the headers of a response say of quotas, none where that makes no sense: what a later draft says goes before an earlier one's. */
export function quotasIn(headers: ResponseHeaders): readonly CalleeQuota[] {
  const current = fieldQuotas(headers);
  if (current.length > 0) return current;
  const former = formerQuota(headers);
  if (former !== undefined) return [former];
  return PREFIXES.flatMap((prefix) =>
    COUNTED.flatMap(([suffix, cost]) => {
      const found = remainderIn(headers, prefix, suffix);
      if (found === undefined) return [];
      return [cost === undefined ? found : { ...found, cost }];
    }),
  );
}

// ---- the fields of the drafts

function fieldQuotas(headers: ResponseHeaders): readonly CalleeQuota[] {
  const members = membersOf(headers, 'ratelimit');
  const policies = policiesIn(headers);
  const byKey = new Map(members.map(({ key, value }) => [key, value]));
  const keyed = quota(byKey.get('remaining'), byKey.get('reset'), policyOf(byKey.get('limit'), policies));
  if (keyed !== undefined) return [keyed];
  return members.flatMap(({ key, value, parameters }) => {
    if (key !== undefined || typeof value !== 'string' || value === '') return [];
    const policy = policies.get(value);
    const own = policy?.isRate === false ? undefined : quota(parameters.get('r'), parameters.get('t'), policy);
    return own === undefined ? [] : [{ ...own, name: value }];
  });
}

/** Drafts 0 to 6: three fields; the limit may be followed by the policies. */
function formerQuota(headers: ResponseHeaders): CalleeQuota | undefined {
  const [limit, ...others] = membersOf(headers, 'ratelimit-limit');
  const policies = new Map([...policiesIn(headers), ...named(others)]);
  const remaining = membersOf(headers, 'ratelimit-remaining')[0]?.value;
  const reset = membersOf(headers, 'ratelimit-reset')[0]?.value;
  return quota(remaining, reset, policyOf(limit?.value, policies));
}

const policiesIn = (headers: ResponseHeaders): ReadonlyMap<string, Policy> => named(membersOf(headers, 'ratelimit-policy'));

/** By name; the nameless of earlier drafts by their limit. */
function named(members: readonly Member[]): ReadonlyMap<string, Policy> {
  const policies = new Map<string, Policy>();
  for (const { value, parameters } of members) {
    const limit = typeof value === 'string' ? parameters.get('q') : value;
    if (!isCount(limit)) continue;
    const window = parameters.get('w');
    const unit = parameters.get('qu') ?? 'requests';
    policies.set(String(value), {
      limit,
      periodMs: isCount(window) && window > 0 ? window * SECOND_MS : undefined,
      cost: unit === 'requests' ? undefined : String(unit),
      isRate: unit !== 'concurrent-requests',
    });
  }
  return policies;
}

/** The policy a limit belongs to: that of its number, or the only one there is. */
function policyOf(limit: BareItem | undefined, policies: ReadonlyMap<string, Policy>): Policy | undefined {
  return policies.get(String(limit)) ?? (policies.size === 1 ? [...policies.values()][0] : undefined);
}

/** Until the reset, or for a whole window where none is said. */
function quota(remaining: BareItem | undefined, reset: BareItem | undefined, policy: Policy | undefined): CalleeQuota | undefined {
  const resetMs = isCount(reset) ? reset * SECOND_MS : policy?.periodMs;
  if (!isCount(remaining) || resetMs === undefined || resetMs > MAX_RESET_MS) return undefined;
  const { limit = 0, periodMs, cost } = policy ?? {};
  return {
    remaining,
    resetMs,
    ...(cost === undefined ? {} : { cost }),
    ...(limit > 0 && periodMs !== undefined ? { limit, periodMs } : {}),
  };
}

// ---- what is found in the wild

const PREFIXES = ['x-ratelimit', 'x-rate-limit'] as const;
/** Language models count requests and tokens apart. */
const COUNTED: readonly (readonly [string, string | undefined])[] = [
  ['', undefined],
  ['-requests', undefined],
  ['-tokens', 'tokens'],
];

function remainderIn(headers: ResponseHeaders, prefix: string, suffix: string): CalleeQuota | undefined {
  const remaining = numberIn(one(headers, `${prefix}-remaining${suffix}`));
  if (remaining === undefined) return undefined;
  const serverMs = parseHttpDate(one(headers, 'date') ?? '');
  const afterS = numberIn(one(headers, `${prefix}-reset-after${suffix}`));
  const resetMs = afterS === undefined ? resetIn(one(headers, `${prefix}-reset${suffix}`) ?? '', serverMs) : afterS * SECOND_MS;
  return resetMs === undefined || resetMs > MAX_RESET_MS ? undefined : { remaining, resetMs };
}

/** A duration (`'6m0s'`, `'20ms'`), a date, a number of seconds from now, or one of seconds or milliseconds since 1970. */
function resetIn(text: string, serverMs: number | undefined): number | undefined {
  const value = numberIn(text);
  if (value === undefined) {
    const epochMs = parseHttpDate(text) ?? parseIsoDate(text);
    return epochMs === undefined ? parseDuration(text) : untilMs(epochMs, serverMs);
  }
  if (value * SECOND_MS <= MAX_RESET_MS) return value * SECOND_MS;
  return untilMs(value < FIRST_EPOCH_MS ? value * SECOND_MS : value, serverMs);
}

/** By the server's clock, if it said what that shows: ours may be wrong. */
function untilMs(epochMs: number, serverMs: number | undefined): number {
  return serverMs === undefined ? Deadline.at(epochMs).remainingMs() : Math.max(0, epochMs - serverMs);
}

const ISO_DATE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/;

function parseIsoDate(text: string): number | undefined {
  const epochMs = ISO_DATE.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(epochMs) ? undefined : epochMs;
}

const DURATION = /^(?=\d)(?:(?<h>\d{1,6})h)?(?:(?<m>\d{1,6})m(?!s))?(?:(?<s>\d{1,9}(?:\.\d{1,9})?)s)?(?:(?<ms>\d{1,9}(?:\.\d{1,9})?)ms)?$/;

function parseDuration(text: string): number | undefined {
  const parts = DURATION.exec(text)?.groups;
  if (parts === undefined) return undefined;
  const { h = 0, m = 0, s = 0, ms = 0 } = parts;
  return ((Number(h) * 60 + Number(m)) * 60 + Number(s)) * SECOND_MS + Number(ms);
}

// ---- small things

const isCount = (value: BareItem | undefined): value is number => typeof value === 'number' && value >= 0;

function numberIn(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}(?:\.\d{1,9})?$/.test(text) ? Number(text) : undefined;
}

/** A header that came once, or of those that came more than once the first. */
function one(headers: ResponseHeaders, name: string): string | undefined {
  const value = headers[name];
  return (typeof value === 'object' ? value[0] : value)?.trim();
}

function membersOf(headers: ResponseHeaders, name: string): readonly Member[] {
  const value = headers[name];
  if (value === undefined) return [];
  return parseMembers(typeof value === 'object' ? value.join(', ') : value) ?? [];
}
