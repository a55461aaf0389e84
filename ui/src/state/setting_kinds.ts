// What a setting is made of, by what the gateway says of it.

import { said } from '../i18n/said.svelte';
import type { Setting, SettingValue } from '../api/types';

export type Kind =
  | { kind: 'flag' }
  | { kind: 'number'; min: number | null; max: number | null }
  | { kind: 'choice'; options: string[] }
  | { kind: 'list' }
  | { kind: 'text' };

/** By its value; and by what is allowed, where that is said in the few words we know. Else it is any text. */
export function kindOf({ value, allowed }: Pick<Setting, 'value' | 'allowed'>): Kind {
  if (typeof value === 'boolean') return { kind: 'flag' };
  if (Array.isArray(value)) return { kind: 'list' };
  if (typeof value === 'number') {
    const [, min, max] = /^a number from (\d+) to (\d+)/.exec(allowed) ?? [];
    return { kind: 'number', min: min === undefined ? null : Number(min), max: max === undefined ? null : Number(max) };
  }
  const words = allowed.replace(/^one of /, '').split(/, | or /);
  const known = words.length > 1 && words.every((word) => /^\w+$/.test(word)) && words.includes(value);
  return known ? { kind: 'choice', options: words } : { kind: 'text' };
}

export const shown = (value: SettingValue): string => (Array.isArray(value) ? value.join(', ') : String(value));

/** What was typed, as the gateway wants it. `null`: that is no number. */
export function read(kind: Kind['kind'], typed: string): SettingValue | null {
  if (kind === 'list') return typed.split(',').map((part) => part.trim()).filter((part) => part !== '');
  if (kind !== 'number') return typed.trim();
  const number = Number(typed);
  return typed.trim() === '' || !Number.isFinite(number) ? null : number;
}

export const same = (a: SettingValue | null, b: SettingValue | null): boolean => JSON.stringify(a) === JSON.stringify(b);

/** Each word stands somewhere in its key or in what it is for. */
export function matches({ key, doc }: Pick<Setting, 'key' | 'doc'>, query: string): boolean {
  const text = `${key} ${key.replaceAll(/[._]/g, ' ')} ${doc} ${said(doc) ?? ''}`.toLowerCase();
  return query.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}

/** Whether only this machine reaches that address. */
export const isLoopback = (host: string): boolean => host === 'localhost' || host.startsWith('127.') || host === '::1';
