import ts from 'typescript';
import { lineOf, walk } from '../lib/syntax.ts';

/** One use of a global name, such as `setTimeout` or `Math.random`. */
export interface GlobalUse {
  readonly name: string;
  readonly line: number;
}

const GLOBAL_OBJECTS = new Set(['globalThis', 'global', 'window', 'self']);

/**
 * Finds uses of the given globals, bare (`setTimeout`), dotted (`Math.random`) or through `globalThis`.
 * Strings, comments, types, and members or methods that merely share the name are no use.
 * `Date` is special: with an argument it is a pure conversion; called without one, or asked for `now`, it is a clock.
 */
export function globalUses(source: ts.SourceFile, names: ReadonlySet<string>): GlobalUse[] {
  const uses: GlobalUse[] = [];
  walk(source, (node) => {
    if (ts.isIdentifier(node)) {
      const name = dottedName(node);
      if (name !== undefined && names.has(name) && isRead(node) && !(name === 'Date' && isPureDate(node))) {
        uses.push({ name, line: lineOf(node) });
      }
    }
  });
  return uses;
}

/** The global that an identifier stands for: `now` in `Date.now` gives `undefined` (its object speaks for it), `Math` gives `Math.random`. */
function dottedName(node: ts.Identifier): string | undefined {
  const parent = node.parent;
  if (ts.isPropertyAccessExpression(parent) && parent.name === node) {
    return isGlobalObject(parent.expression) ? withMember(node.text, parent) : undefined;
  }
  if (ts.isBindingElement(parent) && ts.isObjectBindingPattern(parent.parent)) {
    return destructuredName(node, parent);
  }
  return withMember(node.text, node);
}

/** `Math` + `.random` is `Math.random`; `setTimeout` + `.bind` stays `setTimeout`; `Date` stays `Date`, whatever is asked of it. */
function withMember(name: string, node: ts.Node): string {
  const parent = node.parent;
  const dotted = ['performance', 'process', 'Math', 'crypto', 'AbortSignal'].includes(name);
  if (!dotted || !ts.isPropertyAccessExpression(parent) || parent.expression !== node) {
    return name;
  }
  return `${name}.${parent.name.text}`;
}

/** `const { setTimeout } = globalThis` and `const { random } = Math`. */
function destructuredName(node: ts.Identifier, element: ts.BindingElement): string | undefined {
  const taken = element.propertyName ?? element.name;
  const declaration = element.parent.parent;
  if (taken !== node || !ts.isVariableDeclaration(declaration) || declaration.initializer === undefined) {
    return undefined;
  }
  const from = declaration.initializer;
  if (isGlobalObject(from)) {
    return node.text;
  }
  return ts.isIdentifier(from) ? `${from.text}.${node.text}` : undefined;
}

function isGlobalObject(node: ts.Node): boolean {
  return ts.isIdentifier(node) && GLOBAL_OBJECTS.has(node.text);
}

/** True where the identifier is evaluated, not where it only names a member, a declaration, a label or a type. */
function isRead(node: ts.Identifier): boolean {
  const parent = node.parent;
  if (ts.isPropertyAccessExpression(parent)) {
    return true;
  }
  if (ts.isTypeNode(parent) || ts.isQualifiedName(parent) || ts.isImportSpecifier(parent) || ts.isJSDoc(parent)) {
    return ts.isExpressionWithTypeArguments(parent) && ts.isHeritageClause(parent.parent) && ts.isClassLike(parent.parent.parent);
  }
  const named = parent as { name?: ts.Node; propertyName?: ts.Node };
  return ts.isShorthandPropertyAssignment(parent) || ts.isBindingElement(parent) || named.name !== node;
}

function isPureDate(node: ts.Identifier): boolean {
  const holder = ts.isPropertyAccessExpression(node.parent) && node.parent.name === node ? node.parent : node;
  const parent = holder.parent;
  if (ts.isNewExpression(parent) && parent.expression === holder) {
    return (parent.arguments?.length ?? 0) > 0;
  }
  if (ts.isPropertyAccessExpression(parent) && parent.expression === holder) {
    return parent.name.text !== 'now';
  }
  return ts.isBinaryExpression(parent) && parent.operatorToken.kind === ts.SyntaxKind.InstanceOfKeyword;
}
