// Numbers, dates and times as the person writes them. Nothing here reads the clock: the moment is an argument.

import { locale } from './index';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const cached = <T>(make: () => T): (() => T) => {
  let made: T | undefined;
  return () => (made ??= make());
};

const percents = cached(() => new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 0 }));
const compact = cached(() => new Intl.NumberFormat(locale, { notation: 'compact', maximumFractionDigits: 1 }));
const whole = cached(() => new Intl.NumberFormat(locale, { maximumFractionDigits: 0 }));
const money = cached(() => new Intl.NumberFormat(locale, { style: 'currency', currency: 'USD', currencyDisplay: 'narrowSymbol' }));
const cents = cached(
  () => new Intl.NumberFormat(locale, { style: 'currency', currency: 'USD', currencyDisplay: 'narrowSymbol', maximumSignificantDigits: 2 }),
);
const oneDecimal = cached(() => new Intl.NumberFormat(locale, { maximumFractionDigits: 1 }));
const wholeDollars = cached(
  () => new Intl.NumberFormat(locale, { style: 'currency', currency: 'USD', currencyDisplay: 'narrowSymbol', maximumFractionDigits: 0 }),
);
const justHour = cached(() => new Intl.DateTimeFormat(locale, { hour: 'numeric' }));
const shortDay = cached(() => new Intl.DateTimeFormat(locale, { month: 'short', day: 'numeric' }));
const longDay = cached(() => new Intl.DateTimeFormat(locale, { weekday: 'short', month: 'short', day: 'numeric' }));
const clock = cached(() => new Intl.DateTimeFormat(locale, { hour: 'numeric', minute: '2-digit' }));
const seconds = cached(() => new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit', second: '2-digit' }));
const weekday = cached(
  () => new Intl.DateTimeFormat(locale, { weekday: 'short', hour: 'numeric', minute: '2-digit' }),
);
const date = cached(
  () => new Intl.DateTimeFormat(locale, { month: 'short', day: 'numeric', hour: 'numeric', minute: '2-digit' }),
);
const relative = cached(() => new Intl.RelativeTimeFormat(locale, { numeric: 'auto' }));
const names = cached(() => new Intl.ListFormat(locale, { type: 'conjunction' }));

const unit = (name: string, digits = 0, unitDisplay: 'short' | 'long' = 'short') =>
  cached(() => new Intl.NumberFormat(locale, { style: 'unit', unit: name, unitDisplay, maximumFractionDigits: digits }));
const bytes = unit('byte', 0, 'long');
const kilobytes = unit('kilobyte', 1);
const megabytes = unit('megabyte', 1);
const milliseconds = unit('millisecond');
const shortSeconds = unit('second', 1);
const wholeSeconds = unit('second');
const minutes = unit('minute');
const hours = unit('hour');
const days = unit('day');
const wholeMinutes = unit('minute', 0, 'long');
const wholeHours = unit('hour', 0, 'long');
const wholeDays = unit('day', 0, 'long');

/** `62` becomes 62 %. */
export const percent = (value: number): string => percents().format(value / 100);

/** 1,234 stays; 1,234,567 becomes 1.2M. */
export const amount = (value: number): string => (Math.abs(value) < 10_000 ? whole() : compact()).format(value);

/** Dollars; of less than ten cents, the digits that count. */
export const dollars = (value: number): string => (value !== 0 && Math.abs(value) < 0.1 ? cents() : money()).format(value);

/** How long something is: 1.2 kB. */
export function size(value: number): string {
  if (value < 1_000) return bytes().format(value);
  return value < 1_000_000 ? kilobytes().format(value / 1_000) : megabytes().format(value / 1_000_000);
}
/** Dollars where there is little room. */
export const shortDollars = (value: number): string => (value >= 10 ? wholeDollars().format(value) : dollars(value));

/** To one decimal. */
export const decimal = (value: number): string => oneDecimal().format(value);

/** An hour of a day: at length, and where there is little room. */
export const hourOf = (at: number): string => date().format(at);
export const shortHourOf = (at: number): string => justHour().format(at);

/** A day: at length, and where there is little room. */
export const dayOf = (at: number): string => longDay().format(at);
export const shortDayOf = (at: number): string => shortDay().format(at);

/** A moment near `now`: today its time, within a week its day, else its date. */
export function moment(at: number, now: number): string {
  if (sameDay(at, now)) return clock().format(at);
  return (Math.abs(at - now) < 6 * DAY ? weekday() : date()).format(at);
}

/** A time of the day to the second. */
export const timeOfDay = (at: number): string => seconds().format(at);

/** How long ago, or in how long. */
export function fromNow(at: number, now: number): string {
  const away = at - now;
  const distance = Math.abs(away);
  if (distance < MINUTE) return relative().format(0, 'second');
  if (distance < HOUR) return relative().format(Math.round(away / MINUTE), 'minute');
  if (distance < DAY) return relative().format(Math.round(away / HOUR), 'hour');
  return relative().format(Math.round(away / DAY), 'day');
}

/** A span in its two largest units: 2 hr 5 min. */
export function span(length: number): string {
  if (length < 1000) return milliseconds().format(Math.max(0, length));
  if (length < 10_000) return shortSeconds().format(length / 1000);
  if (length < MINUTE) return wholeSeconds().format(Math.round(length / 1000));
  const total = Math.round(length / MINUTE);
  const [d, h, m] = [Math.floor(total / 1440), Math.floor((total % 1440) / 60), total % 60];
  const parts = d > 0 ? [days().format(d), h > 0 && hours().format(h)] : [h > 0 && hours().format(h), m > 0 && minutes().format(m)];
  return parts.filter(Boolean).join(' ');
}

/** The length of a window, in its largest whole unit: 5 hours, 7 days. */
export function windowLength(length: number): string {
  if (length % 1440 === 0) return wholeDays().format(length / 1440);
  if (length % 60 === 0) return wholeHours().format(length / 60);
  return wholeMinutes().format(length);
}

/** a, b and c. */
export const listed = (items: string[]): string => names().format(items);

function sameDay(a: number, b: number): boolean {
  return new Date(a).toDateString() === new Date(b).toDateString();
}
