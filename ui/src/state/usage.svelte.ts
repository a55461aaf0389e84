// What was used in a range: over time, and by one thing.

import { problemOf, type Problem } from '../api/client';
import { spreadsheet, usage as ask, type By, type UsageQuery } from '../api/usage';
import type { Figures, UsageRow } from '../api/types';
import { iso, slotted, spanOf, type Range, type Slot, type Span } from './usage_range';

/** What is looked at alone. */
export interface Only {
  by: 'model' | 'account' | 'client';
  key: string;
  /** What its owner calls it. */
  name: string;
}

export interface Shown {
  span: Span;
  total: Figures;
  slots: Slot[];
  by: By;
  rows: UsageRow[];
}

export class Usage {
  range = $state.raw<Range>({ preset: 'today' });
  by = $state<By>('model');
  only = $state.raw<Only | null>(null);
  /** `null`: not read yet. */
  shown = $state.raw<Shown | null>(null);
  problem = $state.raw<Problem | null>(null);
  loading = $state(false);
  #asked = 0;
  /** What the figures that are shown were asked for. */
  #shownFor = '';
  readonly #now: () => number;
  readonly #zone: string;

  constructor(now: () => number, zone: string) {
    this.#now = now;
    this.#zone = zone;
  }

  /** What is asked for now; `null`: the range means nothing. */
  query(by: By): UsageQuery | null {
    const span = spanOf(this.range, this.#now());
    if (span === null) return null;
    return {
      since: iso(span.since),
      until: span.until === null ? null : iso(span.until),
      by,
      tz: this.#zone,
      ...(this.only === null ? {} : { [this.only.by]: this.only.key }),
    };
  }

  /** Where the rows are to be had as a spreadsheet. */
  get spreadsheet(): string | null {
    const query = this.query(this.by);
    return query === null ? null : spreadsheet(query);
  }

  async load(): Promise<void> {
    const now = this.#now();
    const span = spanOf(this.range, now);
    const by = this.by;
    const [time, rows] = span === null ? [null, null] : [this.query(span.step), this.query(by)];
    // Whatever is under way is about something else.
    const mine = ++this.#asked;
    if (span === null || time === null || rows === null) {
      this.loading = false;
      return;
    }
    const asked = JSON.stringify([time, rows]);
    this.loading = true;
    try {
      const [series, groups] = await Promise.all([ask(time), ask(rows)]);
      if (mine !== this.#asked) return;
      this.shown = { span, total: series.total, slots: slotted(series, span, now), by, rows: groups.sums };
      this.#shownFor = asked;
      this.problem = null;
    } catch (error) {
      if (mine !== this.#asked) return;
      // Figures of another time are not to stand under this one.
      if (asked !== this.#shownFor) this.shown = null;
      this.problem = problemOf(error);
    }
    this.loading = false;
  }
}

export const usage = new Usage(Date.now, Intl.DateTimeFormat().resolvedOptions().timeZone);
