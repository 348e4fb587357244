// The three forms of a date in HTTP: RFC 9110, section 5.6.7. `Date.parse` alone takes almost anything (`'-5'` is in the year 2001 to it).
const DAY = '(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)';
const LONG_DAY = '(?:Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)';
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const MONTH = `(?<month>${MONTHS.join('|')})`;
const TIME = '(?<time>\\d\\d:\\d\\d:\\d\\d)';
const FORMS = [
  new RegExp(`^${DAY}, (?<day>\\d\\d) ${MONTH} (?<year>\\d{4}) ${TIME} GMT$`),
  new RegExp(`^${LONG_DAY}, (?<day>\\d\\d)-${MONTH}-(?<year>\\d\\d) ${TIME} GMT$`),
  new RegExp(`^${DAY} ${MONTH} (?<day>[ \\d]\\d) ${TIME} (?<year>\\d{4})$`),
];
const FIRST_SHORT_YEAR = 70;

/** Milliseconds since the Unix epoch of a date in an HTTP header; undefined for anything else. Two digits of a year mean 1970 to 2069. */
export function parseHttpDate(text: string): number | undefined {
  for (const form of FORMS) {
    const parts = form.exec(text)?.groups;
    if (parts === undefined) continue;
    const { day = '', month = '', time = '', year = '' } = parts;
    const number = String(MONTHS.indexOf(month) + 1).padStart(2, '0');
    const epochMs = Date.parse(`${fullYear(year)}-${number}-${day.trim().padStart(2, '0')}T${time}Z`);
    return Number.isNaN(epochMs) ? undefined : epochMs;
  }
  return undefined;
}

function fullYear(year: string): string {
  if (year.length === 4) return year;
  return `${Number(year) < FIRST_SHORT_YEAR ? '20' : '19'}${year}`;
}
