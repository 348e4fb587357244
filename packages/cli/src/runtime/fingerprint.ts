import { hash } from 'node:crypto';

/** Words of 32 bits in a fingerprint. */
export const FINGERPRINT_WORDS = 4;
/** Characters of a fingerprint in hexadecimal. */
export const FINGERPRINT_HEX: number = FINGERPRINT_WORDS * 8;

/** The first 128 bits of the SHA-256 of `text` of a well-formed text: two texts that differ have two fingerprints. */
export function fingerprint(text: string): Uint32Array {
  // One character a byte is how node:crypto hands out a digest fastest.
  const digest = hash('sha256', text, 'binary');
  const words = new Uint32Array(FINGERPRINT_WORDS);
  for (let byte = 0; byte < FINGERPRINT_WORDS * 4; byte++) {
    const word = byte >> 2;
    words[word] = ((words[word] ?? 0) << 8) | digest.charCodeAt(byte);
  }
  return words;
}

const HEX_TEXT: RegExp = new RegExp(`^[0-9a-f]{${FINGERPRINT_HEX}}$`);
/** Each byte in hexadecimal. */
const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** A fingerprint as it is written down. */
export function toHex(words: Uint32Array): string {
  let text = '';
  for (const word of words) {
    for (let shift = 24; shift >= 0; shift -= 8) text += HEX[(word >>> shift) & 0xff];
  }
  return text;
}

/** The inverse of {@link toHex}; undefined for anything else. */
export function fromHex(text: string): Uint32Array | undefined {
  if (!HEX_TEXT.test(text)) return undefined;
  const bytes = Buffer.from(text, 'hex');
  const words = new Uint32Array(FINGERPRINT_WORDS);
  for (let word = 0; word < FINGERPRINT_WORDS; word++) words[word] = bytes.readUInt32BE(word * 4);
  return words;
}
