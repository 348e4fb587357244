import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import ts from 'typescript';
import { listPackages } from '../lib/files.ts';
import type { Violation } from '../lib/violation.ts';

const SOURCE_CONDITION = '@keelson/source';

/** Checks what the public entries export: each type needs a docstring, each function, class and value an `@example` too. */
export function checkDocumentation(root: string): Violation[] {
  const entries = listPackages(root).flatMap((folder) => sourceEntries(root, folder));
  const program = ts.createProgram(entries, {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    customConditions: [SOURCE_CONDITION],
    allowImportingTsExtensions: true,
    noEmit: true,
    noLib: true, // only the shape of the exports matters here; the build checks types
    types: [],
  });
  const checker = program.getTypeChecker();
  const exported = new Map(entries.flatMap((entry) => exportsOf(program, checker, entry)));
  return [...exported].flatMap(([symbol, isValue]) => checkSymbol(root, checker, symbol, isValue));
}

/** The source files behind a package's `exports`. */
function sourceEntries(root: string, folder: string): string[] {
  const path = join(root, 'packages', folder, 'package.json');
  const { exports = {} } = JSON.parse(readFileSync(path, 'utf8')) as { exports?: Record<string, string | Record<string, string>> };
  return Object.values(exports)
    .flatMap((target) => (typeof target === 'string' ? [] : [target[SOURCE_CONDITION]]))
    .flatMap((file) => (file === undefined ? [] : [join(root, 'packages', folder, file)]))
    .filter((file) => existsSync(file));
}

/** What an entry exports, each with whether it is there at run time. */
function exportsOf(program: ts.Program, checker: ts.TypeChecker, entry: string): [ts.Symbol, boolean][] {
  const source = program.getSourceFile(entry);
  const module = source === undefined ? undefined : checker.getSymbolAtLocation(source);
  const exported = module === undefined ? [] : checker.getExportsOfModule(module);
  return exported.map((symbol) => {
    const target = (symbol.flags & ts.SymbolFlags.Alias) === 0 ? symbol : checker.getAliasedSymbol(symbol);
    return [target, hasValue(target) && symbol.declarations?.some(ts.isTypeOnlyExportDeclaration) !== true];
  });
}

function hasValue(symbol: ts.Symbol): boolean {
  const isAmbient = symbol.declarations?.some((each) => (ts.getCombinedModifierFlags(each) & ts.ModifierFlags.Ambient) !== 0) === true;
  return (symbol.flags & ts.SymbolFlags.Value) !== 0 && !isAmbient;
}

function checkSymbol(root: string, checker: ts.TypeChecker, symbol: ts.Symbol, isValue: boolean): Violation[] {
  const declaration = symbol.declarations?.[0];
  if (declaration === undefined) {
    return [];
  }
  const source = declaration.getSourceFile();
  const line = source.getLineAndCharacterOfPosition(declaration.getStart(source)).line + 1;
  const missing = [
    ...(symbol.getDocumentationComment(checker).length === 0 ? ['docstring'] : []),
    ...(isValue && !symbol.getJsDocTags(checker).some(({ name }) => name === 'example') ? ['@example'] : []),
  ];
  return missing.map((what) => ({
    file: relative(root, source.fileName),
    line,
    rule: 'documented',
    message: `the public ${isValue ? 'value' : 'type'} ${symbol.name} has no ${what}`,
  }));
}
