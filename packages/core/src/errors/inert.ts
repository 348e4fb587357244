/** The same name comes again and again. */
let last = '';
let lastInert = '';

/** `text` with every control character made visible, so that a terminal or a log shows it and does nothing else (law F3). */
export function inert(text: string): string {
  if (text !== last) {
    last = text;
    lastInert = text.replace(/\p{Cc}|[\u2028\u2029]/gu, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
  }
  return lastInert;
}
