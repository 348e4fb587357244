import { KeelsonError } from 'keelson';

/** What a request's headers may be: one value a name, or a list of them. */
export type RequestHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** A request as a caller describes it. */
export interface HttpRequest {
  /** `http:` or `https:`. A user and password in it become an `authorization` header, unless there is one. */
  readonly url: string | URL;
  /** `'GET'` by default. */
  readonly method?: string | undefined;
  readonly headers?: RequestHeaders | undefined;
  /** Text, bytes, or a function that makes the stream: it is called once for each attempt. */
  readonly body?: string | Uint8Array | (() => AsyncIterable<string | Uint8Array>) | undefined;
  /**
   * Whether the request may be made more than once. By default, the methods that HTTP defines so (GET, HEAD, OPTIONS, TRACE, PUT, DELETE,
   * QUERY), and any request with an `idempotency-key` header (law R5).
   */
  readonly idempotent?: boolean | undefined;
}

/** A request that was found in order. */
export interface CheckedRequest {
  readonly url: URL;
  readonly origin: string;
  readonly method: string;
  /** Names and values in turn, as undici takes them; its types know no readonly list. */
  readonly headers: string[];
  readonly body: HttpRequest['body'];
  readonly isIdempotent: boolean;
}

const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE', 'QUERY', 'POST', 'PATCH']);
/** RFC 9110, section 9.2.2, and QUERY. */
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE', 'QUERY']);
/** RFC 9110, section 5.6.2. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** RFC 9110, section 5.5: no line break and no other control character, so that a value cannot become a header or a request (law F3). */
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
const KEYS: Readonly<Record<keyof HttpRequest, true>> = { url: true, method: true, headers: true, body: true, idempotent: true };

/** Finds a request in order, or throws ERR_OPTION that says what is wrong and shows no value of a header. */
export function checkRequest(request: HttpRequest, userAgent: string): CheckedRequest {
  for (const key of Object.keys(request)) {
    if (!Object.hasOwn(KEYS, key)) throw wrong(`unknown key ${JSON.stringify(key)}; there are ${Object.keys(KEYS).join(', ')}`);
  }
  const url = checkUrl(request.url);
  const method = checkMethod(request.method ?? 'GET');
  const { names, headers } = checkHeaders(request.headers ?? {});
  if (!names.has('user-agent')) headers.push('user-agent', userAgent);
  if (!names.has('authorization') && (url.username !== '' || url.password !== '')) headers.push('authorization', basic(url));
  const isIdempotent = request.idempotent ?? (IDEMPOTENT.has(method) || names.has('idempotency-key'));
  return { url, origin: url.origin, method, headers, body: checkBody(request.body), isIdempotent };
}

function checkUrl(text: string | URL): URL {
  const url = URL.parse(String(text));
  if (url === null) throw wrong(`url is not an absolute URL`);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw wrong(`url must be http: or https:, got ${url.protocol}`);
  return url;
}

function checkMethod(text: string): string {
  const method = METHODS.has(text.toUpperCase()) ? text.toUpperCase() : text;
  if (!TOKEN.test(method)) throw wrong(`method ${JSON.stringify(method)} is not a token`);
  if (method.toUpperCase() === 'CONNECT') throw wrong('method CONNECT is not a request for a response');
  return method;
}

function checkHeaders(given: RequestHeaders): { readonly names: Set<string>; readonly headers: string[] } {
  const names = new Set<string>();
  const headers: string[] = [];
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    if (!TOKEN.test(name)) throw wrong(`header name ${JSON.stringify(name)} is not a token`);
    for (const one of Array.isArray(value) ? value : [value]) {
      if (typeof one !== 'string') throw wrong(`header ${name} must be text`);
      if (!FIELD_VALUE.test(one)) throw wrong(`header ${name} holds a line break or another character that no header may hold`);
      headers.push(name, one);
    }
    names.add(name.toLowerCase());
  }
  return { names, headers };
}

function checkBody(body: HttpRequest['body']): HttpRequest['body'] {
  if (body === undefined || typeof body === 'string' || typeof body === 'function' || body instanceof Uint8Array) return body;
  throw wrong('body must be text, a Uint8Array, or a function that returns an async iterable of them');
}

function basic({ username, password }: URL): string {
  return `Basic ${Buffer.from(`${decoded(username)}:${decoded(password)}`).toString('base64')}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a stray % stands for itself
  }
}

function wrong(message: string): KeelsonError {
  return new KeelsonError('ERR_OPTION', `request: ${message}`);
}
