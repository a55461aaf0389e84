// Whether there is what it takes. Where there is not, that is said, and nothing fails.

import { missing } from './tools';

export default function setup(): void {
  const lacks = missing();
  if (lacks !== null) console.warn(`The tests in the browser are skipped: ${lacks}.`);
}
