// Lists and dictionaries of structured fields: RFC 9651, as far as the RateLimit fields need them (no inner lists, no dates).

/** A bare item: a string or token as text, a number, a boolean; byte sequences as they are written. */
export type BareItem = string | number | boolean;

/** A member of a list, or of a dictionary, where it has a key. */
export interface Member {
  readonly key: string | undefined;
  readonly value: BareItem;
  readonly parameters: ReadonlyMap<string, BareItem>;
}

const KEY = '[a-z*][a-z0-9_.*-]*';
const STRING = '"(?<string>(?:[ !#-\\[\\]-~]|\\\\["\\\\])*)"';
const NUMBER = '(?<number>-?\\d{1,12}(?:\\.\\d{1,3})?|-?\\d{13,15})';
const TOKEN = "(?<token>[A-Za-z*][\\w!#$%&'*+.^`|~:/-]*)";
const BYTES = '(?<bytes>:[A-Za-z0-9+/=]*:)';
const BOOLEAN = '\\?(?<boolean>[01])';
const BARE = `(?:${STRING}|${NUMBER}|${TOKEN}|${BYTES}|${BOOLEAN})`;
const MEMBER = new RegExp(`[ \\t]*(?:(?<key>${KEY})=)?${BARE}`, 'y');
const PARAMETER = new RegExp(`;[ ]*(?<key>${KEY})(?:=${BARE})?`, 'y');
const END = /[ \t]*(?:,(?=[ \t]*[^ \t])|$)/y;

/** No honest field is longer, or has more members. */
const MAX_LENGTH = 4096;
const MAX_MEMBERS = 32;

/** The members of a field; undefined for anything that is none. */
export function parseMembers(text: string): readonly Member[] | undefined {
  if (text.length > MAX_LENGTH) return undefined;
  const members: Member[] = [];
  for (let at = 0; at < text.length; ) {
    const head = matchAt(MEMBER, text, at);
    if (head === undefined || members.length === MAX_MEMBERS) return undefined;
    at += head[0].length;
    const parameters = new Map<string, BareItem>();
    for (let parameter = matchAt(PARAMETER, text, at); parameter !== undefined; parameter = matchAt(PARAMETER, text, at)) {
      at += parameter[0].length;
      parameters.set(parameter.groups?.['key'] ?? '', bareItem(parameter) ?? true);
    }
    const end = matchAt(END, text, at);
    if (end === undefined) return undefined;
    at += end[0].length;
    members.push({ key: head.groups?.['key'], value: bareItem(head) ?? true, parameters });
  }
  return members;
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text) ?? undefined;
}

function bareItem({ groups = {} }: RegExpExecArray): BareItem | undefined {
  const { string, number, token, bytes, boolean } = groups;
  if (string !== undefined) return string.replaceAll(/\\(["\\])/g, '$1');
  if (number !== undefined) return Number(number);
  return boolean === undefined ? (token ?? bytes) : boolean === '1';
}
