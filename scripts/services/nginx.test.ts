import { expect, test } from 'vitest';
import { nginxConf } from './nginx.ts';

test('one process in the foreground, on the loopback, that writes only below its folder', () => {
  const conf = nginxConf({ root: '/site', conf: 'location = /busy { return 503; }' }, '/tmp/x', 8080, false);
  for (const line of [
    'daemon off;',
    'master_process off;',
    'listen 127.0.0.1:8080;',
    'root "/site";',
    'location = /busy { return 503; }',
  ]) {
    expect(conf.split('\n')).toContain(line);
  }
  const written = [...conf.matchAll(/^\s*(?:pid|\w+_temp_path) "(.*)";$/gm)].map((match) => match[1]);
  expect(written).toHaveLength(6);
  for (const path of written) expect(path).toMatch(/^\/tmp\/x\//);
  expect(conf).not.toContain('user ');
});

test('as root it stays root, since its folders are', () => {
  expect(nginxConf({ root: '/site' }, '/tmp/x', 8080, true)).toMatch(/^user root root;/);
});

test('a path cannot end its own quotes or name a variable', () => {
  expect(nginxConf({ root: '/a"b$c\\d' }, '/tmp/x', 8080, false)).toContain('root "/a\\"b\\$c\\\\d";');
});
