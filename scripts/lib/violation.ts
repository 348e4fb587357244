/** One broken rule at one place. */
export interface Violation {
  readonly file: string;
  readonly line: number;
  readonly rule: string;
  readonly message: string;
}

/** Prints the violations, then one closing line, and makes the process fail if there were any. */
export function report(title: string, checked: string, violations: readonly Violation[]): void {
  const sorted = violations.toSorted((a, b) => a.file.localeCompare(b.file) || a.line - b.line);
  for (const { file, line, rule, message } of sorted) {
    console.error(`${file}:${line}: [${rule}] ${message}`);
  }
  if (violations.length === 0) {
    console.log(`${title}: ${checked}, all rules hold`);
  } else {
    console.error(`${title}: ${checked}, ${violations.length} broken`);
    process.exitCode = 1;
  }
}
