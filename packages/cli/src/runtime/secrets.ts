const HIDDEN = '***';

/**
 * The values that must not reach a journal, an error or a screen (law F3), and how they are taken out of what might repeat them: a server
 * may send a request's headers back in its body.
 */
export class Secrets {
  readonly #values: readonly string[];

  /** Of a value like `Bearer abc`, `abc` alone is a secret too. */
  constructor(values: Iterable<string>) {
    const all = new Set<string>();
    for (const value of values) {
      for (const secret of [value, /^\S+\s+(\S.*)$/s.exec(value)?.[1] ?? value]) all.add(secret).add(JSON.stringify(secret).slice(1, -1));
    }
    all.delete('');
    this.#values = [...all].sort((a, b) => b.length - a.length);
  }

  hideInText(text: string): string {
    return this.#values.reduce((shown, secret) => (shown.includes(secret) ? shown.replaceAll(secret, HIDDEN) : shown), text);
  }

  /** `bytes` itself where no secret is in it. */
  hideInBytes(bytes: Buffer): Buffer {
    if (!this.#values.some((secret) => bytes.includes(secret))) return bytes;
    // latin1 maps every byte to one character and back, so that bytes which are no text survive.
    const shown = this.#values
      .map((secret) => Buffer.from(secret).toString('latin1'))
      .reduce((text, secret) => text.replaceAll(secret, HIDDEN), bytes.toString('latin1'));
    return Buffer.from(shown, 'latin1');
  }
}
