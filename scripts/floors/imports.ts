import ts from 'typescript';
import { lineOf, walk } from '../lib/syntax.ts';

/** One module that a file names, in whatever form. */
export interface ImportEdge {
  readonly specifier: string;
  /** The names taken from it, in the exporter's words; empty where it is taken as a whole. */
  readonly names: readonly string[];
  readonly line: number;
}

/** Every import of a file: static, re-export, type-only, `import('x').Type`, and dynamic ones with a literal. */
export function importsOf(source: ts.SourceFile): ImportEdge[] {
  const edges: ImportEdge[] = [];
  walk(source, (node) => {
    const specifier = specifierOf(node);
    if (specifier !== undefined) {
      edges.push({ specifier: specifier.text, names: namesOf(node), line: lineOf(node) });
    }
  });
  return edges;
}

function specifierOf(node: ts.Node): ts.StringLiteralLike | undefined {
  const candidate = candidateOf(node);
  return candidate !== undefined && ts.isStringLiteralLike(candidate) ? candidate : undefined;
}

function candidateOf(node: ts.Node): ts.Node | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
    return node.moduleSpecifier;
  }
  if (ts.isImportTypeNode(node)) {
    return ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined;
  }
  if (ts.isCallExpression(node)) {
    const dynamic = node.expression.kind === ts.SyntaxKind.ImportKeyword;
    const required = ts.isIdentifier(node.expression) && node.expression.text === 'require';
    return dynamic || required ? node.arguments[0] : undefined;
  }
  return ts.isExternalModuleReference(node) ? node.expression : undefined;
}

function namesOf(node: ts.Node): string[] {
  if (ts.isImportTypeNode(node)) {
    return node.qualifier === undefined ? [] : [node.qualifier.getText().split('.', 1)[0] ?? ''];
  }
  const bindings = ts.isImportDeclaration(node)
    ? node.importClause?.namedBindings
    : ts.isExportDeclaration(node)
      ? node.exportClause
      : undefined;
  if (bindings === undefined || !(ts.isNamedImports(bindings) || ts.isNamedExports(bindings))) {
    return [];
  }
  return bindings.elements.map((element) => (element.propertyName ?? element.name).text);
}
