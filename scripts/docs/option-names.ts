import ts from 'typescript';
import { isTest, listFiles } from '../lib/files.ts';
import { parse, walk } from '../lib/syntax.ts';

/** An options interface: its own members, and the interfaces it extends. */
interface Shape {
  readonly own: readonly string[];
  readonly bases: readonly string[];
}

/** The names of the options of each interface called `…Options` in the sources below `root`, in the order in which they are declared. */
export function optionNames(root: string): ReadonlyMap<string, readonly string[]> {
  const shapes = new Map<string, Shape>();
  for (const file of listFiles(root, ['packages/*/src/**/*.ts'])) {
    if (isTest(file)) continue;
    walk(parse(root, file), (node) => {
      if (ts.isInterfaceDeclaration(node) && node.name.text.endsWith('Options')) shapes.set(node.name.text, shapeOf(node));
    });
  }
  const all = (name: string): readonly string[] => {
    const shape = shapes.get(name);
    return shape === undefined ? [] : [...shape.own, ...shape.bases.flatMap(all)];
  };
  return new Map([...shapes.keys()].map((name) => [name, all(name)]));
}

function shapeOf(node: ts.InterfaceDeclaration): Shape {
  const own = node.members.flatMap((member) => (ts.isPropertySignature(member) && ts.isIdentifier(member.name) ? [member.name.text] : []));
  const bases = (node.heritageClauses ?? []).flatMap(({ types }) => types.map(({ expression }) => expression.getText()));
  return { own, bases };
}
