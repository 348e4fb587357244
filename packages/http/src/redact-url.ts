const HIDDEN = '***';

/**
 * A URL as errors and events show it (law F3): the parameters of the query keep their names and lose their values, user, password and
 * fragment go. A parameter without `=` may be a token itself and goes whole.
 */
export function redactUrl(url: URL): string {
  const query = url.search
    .slice(1)
    .split('&')
    .filter((part) => part !== '')
    .map((part) => (part.includes('=') ? `${part.slice(0, part.indexOf('='))}=${HIDDEN}` : HIDDEN))
    .join('&');
  return `${url.origin}${url.pathname}${query === '' ? '' : `?${query}`}`;
}
