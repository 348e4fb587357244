/** Whether a text has no half of a character (a lone surrogate), which JSON can hold and UTF-8 cannot. */
export function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}
