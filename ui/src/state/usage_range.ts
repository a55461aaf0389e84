// From when until when, and in which steps: days are those of the person, as this browser knows them. Pure: the moment is
// an argument.

import type { Figures, UsageReport } from '../api/types';

const HOUR = 3_600_000;

export type Preset = 'today' | 'week' | 'month';
export type Range = { preset: Preset } | { from: string; to: string };

export interface Span {
  since: number;
  /** `null`: until now, and further. */
  until: number | null;
  step: 'hour' | 'day';
}

/** All at one time; `null`: nothing. */
export interface Slot {
  at: number;
  figures: Figures | null;
}

/** Days of these presets, today among them. */
const DAYS: Record<Preset, number> = { today: 1, week: 7, month: 30 };

/** More than so many days by the hour are too many bars. */
const HOURLY_DAYS = 2;

/** Midnight of a day, so many days from another. Days that have 23 or 25 hours are days as well. */
function midnight(of: Date, days: number): number {
  return new Date(of.getFullYear(), of.getMonth(), of.getDate() + days).getTime();
}

/** A moment, as the API takes it. */
export const iso = (at: number): string => new Date(at).toISOString();

/** `2026-11-20`, as a date field has it. */
export function dayText(at: number): string {
  const date = new Date(at);
  const two = (part: number) => String(part).padStart(2, '0');
  return `${String(date.getFullYear()).padStart(4, '0')}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** The midnight with which a day begins; `null`, if that is none. */
export function dayOf(text: string): number | null {
  const parts = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text);
  if (parts === null) return null;
  const at = new Date(Number(parts[1]), Number(parts[2]) - 1, Number(parts[3])).getTime();
  return dayText(at) === text ? at : null;
}

/** What a range means now; `null`, if it means nothing. */
export function spanOf(range: Range, now: number): Span | null {
  if ('preset' in range) {
    const days = DAYS[range.preset];
    return { since: midnight(new Date(now), 1 - days), until: null, step: days > HOURLY_DAYS ? 'day' : 'hour' };
  }
  const [from, to] = [dayOf(range.from), dayOf(range.to)];
  if (from === null || to === null || to < from) return null;
  const until = midnight(new Date(to), 1);
  return { since: from, until, step: until > midnight(new Date(from), HOURLY_DAYS) ? 'day' : 'hour' };
}

/** The beginnings of all steps that have begun. Hours are those of UTC, as they are counted. */
export function slotsOf(span: Span, now: number): number[] {
  const end = Math.min(span.until ?? Infinity, now);
  const slots: number[] = [];
  if (span.step === 'hour') {
    for (let at = Math.ceil(span.since / HOUR) * HOUR; at < end; at += HOUR) slots.push(at);
  } else {
    const first = new Date(span.since);
    for (let day = 0, at = span.since; at < end; at = midnight(first, ++day)) slots.push(at);
  }
  return slots;
}

/** The steps of a span with what was used in each. */
export function slotted(report: UsageReport, span: Span, now: number): Slot[] {
  const found = new Map(report.sums.map((sum) => [Date.parse(sum.key[span.step] ?? ''), sum]));
  return slotsOf(span, now).map((at) => ({ at, figures: found.get(at) ?? null }));
}
