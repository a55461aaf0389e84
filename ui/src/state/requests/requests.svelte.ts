// The one list of requests, from the gateway.

import { page } from '../../api/requests';
import { live } from '../live.svelte';
import { RequestList } from './list.svelte';

export const requests = new RequestList({
  page,
  open: () => live.open,
  recent: () => live.recent ?? [],
  follow: (tell) => live.follow(tell),
  frame: (run) => void requestAnimationFrame(run),
  after: (milliseconds, run) => void setTimeout(run, milliseconds),
  now: () => Date.now(),
});
