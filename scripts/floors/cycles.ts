/** Finds the cycles of a graph (Tarjan's strongly connected components), each as its nodes in the order met. */
export function findCycles(graph: ReadonlyMap<string, ReadonlySet<string>>): string[][] {
  const order = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const cycles: string[][] = [];

  function visit(node: string): void {
    const index = order.size;
    order.set(node, index);
    low.set(node, index);
    stack.push(node);
    for (const next of graph.get(node) ?? []) {
      if (!order.has(next)) {
        visit(next);
      }
      if (stack.includes(next)) {
        low.set(node, Math.min(low.get(node) ?? index, low.get(next) ?? index));
      }
    }
    if (low.get(node) === index) {
      const component = stack.splice(stack.indexOf(node));
      if (component.length > 1 || graph.get(node)?.has(node) === true) {
        cycles.push(component);
      }
    }
  }

  for (const node of graph.keys()) {
    if (!order.has(node)) {
      visit(node);
    }
  }
  return cycles;
}
