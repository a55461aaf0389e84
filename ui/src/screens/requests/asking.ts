// What is looked for stands in the address, so it can be passed on, and the way back leads back.

import type { Filter } from '../../api/requests';
import { router } from '../../router.svelte';
import { EVERYTHING, read, written } from '../../state/requests/filter';

/** Looks for this, too. One who still types takes no steps to go back over. */
export function ask(news: Partial<Filter>, typing = false): void {
  const { id, query } = router.route;
  const next = written({ ...read(query), ...news });
  if (next === query) return;
  if (typing) router.replace('requests', id, next);
  else router.go('requests', id, next);
}

/** Looks for nothing else. */
export const askOnly = (news: Partial<Filter>): void => ask({ ...EVERYTHING, ...news });
