// The first screen's scripts, compressed: no more than the budget. Run after the build.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const BUDGET = 120 * 1024;
const dist = fileURLToPath(new URL('../dist', import.meta.url));

const page = readFileSync(join(dist, 'index.html'), 'utf8');
const scripts = [...new Set([...page.matchAll(/(?:src|href)="\/([^"]+\.js)"/g)].map((match) => match[1]))];
const size = scripts.reduce((sum, script) => sum + gzipSync(readFileSync(join(dist, script))).length, 0);
const kib = (bytes) => `${(bytes / 1024).toFixed(1)} KiB`;
if (scripts.length < 2 || size > BUDGET) {
  console.error(`budget: the first screen takes ${kib(size)} of scripts (gzip) in ${scripts.length} files; allowed are ${kib(BUDGET)}`);
  process.exit(1);
}
