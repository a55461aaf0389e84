// Figures in a person's words.

import { t } from '../../i18n';
import { dayOf, hourOf, shortDayOf, shortHourOf } from '../../i18n/format';
import type { By } from '../../api/usage';
import type { Figures, UsageRow } from '../../api/types';
import type { Slot, Span } from '../../state/usage_range';

/** What a slot is called: at length, and along the bottom of a chart. */
export function slotNames(slots: Slot[], span: Span): { name: string; tick: string }[] {
  return slots.map(({ at }) =>
    span.step === 'hour' ? { name: hourOf(at), tick: shortHourOf(at) } : { name: dayOf(at), tick: shortDayOf(at) },
  );
}

/** What of the input was not in the cache. */
export const fresh = (figures: Figures): number => Math.max(0, figures.input - figures.cached);

/** What a row is the sum of. */
export function rowName(row: UsageRow, by: By): string {
  const key = row.key[by] ?? '';
  if (key === '') return t('usage.unknown');
  if (by === 'hour') return hourOf(Date.parse(key));
  if (by === 'day') return dayOf(Date.parse(key));
  return row.account_name ?? key;
}

/** Times stand in their order, the newest first; all else by what it took. */
export function ordered(rows: UsageRow[], by: By): UsageRow[] {
  if (by === 'hour' || by === 'day') return [...rows].reverse();
  return [...rows].sort((a, b) => b.input + b.output - (a.input + a.output));
}

/** What has to be known of these figures. */
export function remarks(total: Figures): string[] {
  const uncounted = total.requests - total.counted;
  return [
    t('usage.list_prices'),
    total.unpriced > 0 ? t('usage.unpriced', { count: total.unpriced }) : null,
    uncounted > 0 ? t('usage.uncounted', { count: uncounted }) : null,
  ].filter((remark) => remark !== null);
}
