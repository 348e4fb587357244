import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { runSteps, type Step } from './steps.ts';

let printed: string[] = [];

beforeEach(() => {
  printed = [];
  for (const stream of ['log', 'error'] as const) {
    vi.spyOn(console, stream).mockImplementation((text: string) => void printed.push(text));
  }
});

afterEach(() => {
  vi.restoreAllMocks();
});

function step(name: string, code: string): Step {
  return { name, args: ['--eval', code] };
}

test('a step that holds is one line: its name, its time, the last it wrote', async () => {
  expect(await runSteps([step('one', "console.log('noise'); console.log('3 files')"), step('two', '')])).toBe(true);
  expect(printed).toEqual([expect.stringMatching(/^ok {2}one +\d+\.\d s {2}3 files$/), expect.stringMatching(/^ok {2}two +\d+\.\d s$/)]);
});

test('the first that fails is told with all it wrote, and the rest does not run', async () => {
  const steps = [step('one', "console.error('why'); console.log('more'); process.exitCode = 3"), step('two', '')];
  expect(await runSteps(steps)).toBe(false);
  expect(printed).toEqual([expect.stringMatching(/^why\nmore\n\nfailed {2}one \(\d+\.\d s\): node --eval /)]);
});
