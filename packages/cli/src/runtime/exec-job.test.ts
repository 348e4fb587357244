import { expect, test } from 'vitest';
import type { Columns } from './columns.ts';
import { execJobs } from './exec-job.ts';

const argvOf = (command: string, columns: Columns): unknown => execJobs(command)('7', { id: '7', ...columns });

test('a value is one argument, or a part of one, whatever it holds', () => {
  const nasty = '; rm -rf "$HOME" `id` $(id) | cat > x \' &';
  expect(argvOf('sh -c \'echo "$1"\' _ {url} --q={url}', { url: nasty })).toEqual({
    kind: 'exec',
    id: '7',
    argv: ['sh', '-c', 'echo "$1"', '_', nasty, `--q=${nasty}`],
  });
});

test('an empty value stays an argument', () => {
  expect(argvOf('echo {a} end', { a: '' })).toMatchObject({ argv: ['echo', '', 'end'] });
});

test('a NUL cannot be part of an argument', () => {
  expect(() => argvOf('echo {a}', { a: 'x\0y' })).toThrow(expect.objectContaining({ name: 'LineFault' }));
});

test.each([
  ['', '--exec: the command is empty'],
  ['   ', '--exec: the command is empty'],
  ['{cmd} x', '--exec: the command itself must not come from the input'],
  ['no-such-command-anywhere x', '--exec: there is no command "no-such-command-anywhere"'],
  ['/etc/passwd', '--exec: there is no command "/etc/passwd"'],
  ['/tmp', '--exec: there is no command "/tmp"'],
  ["echo 'open", '--exec: a quote is not closed, or a backslash ends the command'],
])('%j is refused before any line is read', (command, message) => {
  expect(() => execJobs(command)).toThrow(expect.objectContaining({ name: 'UsageError', message }));
});
