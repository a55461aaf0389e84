// A row of the list in a person's words.

import { t } from '../../i18n';
import { dollars } from '../../i18n/format';
import { outcomeOf } from '../../parts/exchange';
import type { Exchange } from '../../api/types';
import type { Tone } from '../../shared/Mark.svelte';
import type { Entry } from '../../state/requests/head';

/** Less is not worth its digits, in dollars. */
const LEAST = 0.001;

/** What it cost, as far as a column of costs goes. `null`: nobody knows. */
export function cost(exchange: Exchange): string | null {
  const { cost_usd } = exchange;
  if (typeof cost_usd !== 'number') return null;
  return cost_usd > 0 && cost_usd < LEAST ? t('requests.less_than', { amount: dollars(LEAST) }) : dollars(cost_usd);
}

/** How it stands with one, and how that looks. */
export function standing(entry: Entry): { tone: Tone; text: string } {
  const { done, open } = entry;
  if (done !== null) {
    const { tone, text } = outcomeOf(done);
    // Of the others it says nothing: an answer that broke off began with 200.
    const says = done.outcome === 'refused' && done.status !== null;
    return { tone, text: !says ? text : t('requests.with_status', { outcome: text, status: String(done.status) }) };
  }
  if (open !== null && open.first_byte_ms !== null) return { tone: 'busy', text: t('requests.answering') };
  if (open !== null && open.attempts > 1) return { tone: 'busy', text: t('requests.trying', { attempt: open.attempts }) };
  return { tone: 'busy', text: t('requests.asking') };
}
