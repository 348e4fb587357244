#!/usr/bin/env node
// `npx keelson` finds this package, which has no dependency; the command is in @keelson/cli.
const CLI = '@keelson/cli/main';

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException | null)?.code === 'ERR_MODULE_NOT_FOUND' && String(error).includes('@keelson/cli');
}

void import(CLI).catch((error: unknown) => {
  if (!isMissing(error)) throw error;
  console.error(
    `The command is in the package @keelson/cli, which is not installed here. Run: npx @keelson/cli ${process.argv.slice(2).join(' ')}`,
  );
  process.exitCode = 2;
});
