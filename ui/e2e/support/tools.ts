// The programs that the tests run.

import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

const BROWSERS = ['chromium', 'chromium-browser', 'google-chrome', 'chrome'];

/** The browser of this machine, if it has one. */
export function browser(): string | null {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const places = folders.flatMap((folder) => BROWSERS.map((name) => join(folder, name)));
  return places.find(runs) ?? null;
}

/** `codeferry`, as `cargo xtask test` built it. */
export function binary(): string | null {
  const named = process.env.CODEFERRY_BIN ?? '';
  return named !== '' && runs(named) ? named : null;
}

/** Python, whose library reads and writes SQLite, if this machine has it. */
export function python(): string | null {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.map((folder) => join(folder, 'python3')).find(runs) ?? null;
}

/** What is not there, in a sentence. */
export function missing(): string | null {
  if (binary() === null) return 'CODEFERRY_BIN names no codeferry (`cargo xtask test` sets it)';
  if (browser() === null) return `there is none of ${BROWSERS.join(', ')} on the path`;
  return null;
}

function runs(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
