// biome-ignore lint/suspicious/noControlCharactersInRegex: finding control characters is what this is for
const ACTIVE = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/**
 * Text that came from outside, as one line that does nothing to a terminal: control characters, escape sequences and marks that change
 * the direction of writing are shown as `\x1b` or `\u202e` (law F3).
 */
export function inertText(text: string): string {
  return text.replace(ACTIVE, (character) => {
    const code = character.charCodeAt(0);
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16)}`;
  });
}

/** Like {@link inertText}, in quotes and cut to what a message can hold. */
export function quoted(text: string, maxLength = 80): string {
  return `"${inertText(text.length > maxLength ? `${text.slice(0, maxLength)}…` : text)}"`;
}
