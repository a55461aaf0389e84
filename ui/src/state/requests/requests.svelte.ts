// The one list of requests, from the gateway.

import { page } from '../../api/requests';
import { live } from '../live.svelte';
import { RequestList } from './list.svelte';

/** Ten pictures a second are enough to follow, and leave the rest of the core to whoever works on it. */
const APART = 100;
let last = 0;

function frame(run: () => void): void {
  const wait = last + APART - performance.now();
  if (wait > 0) return void setTimeout(() => frame(run), wait);
  last = performance.now();
  // A page that nobody sees is drawn never, and is to know what happened all the same.
  if (document.visibilityState === 'visible') requestAnimationFrame(run);
  else run();
}

export const requests = new RequestList({
  page,
  open: () => live.open,
  recent: () => live.recent ?? [],
  follow: (tell) => live.follow(tell),
  frame,
  after: (milliseconds, run) => void setTimeout(run, milliseconds),
  now: () => Date.now(),
});
