// A loop of undici.request with nothing around it: node bare-loop.ts URLS CONCURRENCY
import { callAll } from './undici-loop.ts';

const [file = '', concurrency = ''] = process.argv.slice(2);
await callAll(file, Number(concurrency));
