// Tables of options in the docs: `<!-- options: retry -->`, a blank line, a table whose columns are option, default and meaning.

/** What the code says of the options of one policy. */
export interface OptionFacts {
  /** Every option there is. */
  readonly names: readonly string[];
  /** The defaults that the package exports; an option without one says in words what happens. */
  readonly defaults: Readonly<Record<string, unknown>>;
}

/** A page with its tables as the code has them, and what no program can put right. */
export interface Page {
  readonly text: string;
  readonly problems: readonly string[];
}

const TABLE = /(<!-- options: (\w+) -->\n\n\|[^\n]*\n\|[-| ]*\n)((?:\|[^\n]*\n)*)/g;
const ROW = /^\| `(\w+)` \|([^|]*)\|(.*)\|$/;

/** Puts the defaults of the code into the tables of a page. Says so where a table lacks an option, or has one that is none. */
export function withDefaults(text: string, factsOf: (name: string) => OptionFacts | undefined): Page {
  const problems: string[] = [];
  const filled = text.replace(TABLE, (_all, head: string, name: string, body: string) => {
    const facts = factsOf(name);
    if (facts === undefined) {
      problems.push(`there are no options of ${name}`);
      return head + body;
    }
    const rows = body.trimEnd().split('\n');
    const named = rows.map((row) => ROW.exec(row)?.[1]);
    problems.push(...facts.names.filter((option) => !named.includes(option)).map((option) => `${name} has the option ${option}, too`));
    problems.push(...named.filter((option) => !facts.names.includes(`${option}`)).map((option) => `${name} has no option ${option}`));
    return head + rows.map((row) => `${withDefault(row, facts)}\n`).join('');
  });
  return { text: filled, problems };
}

function withDefault(row: string, { defaults }: OptionFacts): string {
  return row.replace(ROW, (all, option: string, _default: string, meaning: string) =>
    Object.hasOwn(defaults, option) ? `| \`${option}\` | ${formatDefault(defaults[option])} |${meaning}|` : all,
  );
}

/** A number stands as it is, everything else as code. */
function formatDefault(value: unknown): string {
  if (typeof value === 'string') return `\`'${value}'\``;
  return Number.isFinite(value) ? String(value) : `\`${String(value)}\``;
}
