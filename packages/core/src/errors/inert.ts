/** `text` with every control character made visible, so that a terminal or a log shows it and does nothing else (law F3). */
export function inert(text: string): string {
  return text.replace(/\p{Cc}|[\u2028\u2029]/gu, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
