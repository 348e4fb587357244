// Publishes every package, from tarballs that have passed the checks: npm run release -- [options of npm publish]
import { spawnSync } from 'node:child_process';
import { check } from './check.ts';
import { pack } from './lib/consumer.ts';
import { stage } from './stage.ts';

if (await check()) {
  for (const { name, tarball } of await pack(await stage('.'), '.cache/tarballs')) {
    const { status } = spawnSync('npm', ['publish', tarball, '--access', 'public', ...process.argv.slice(2)], { stdio: 'inherit' });
    if (status !== 0) {
      console.error(`${name} is not published; those before it are`);
      process.exitCode = 1;
      break;
    }
  }
} else {
  process.exitCode = 1;
}
