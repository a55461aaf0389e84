// The parts of the settings, and the way to one of them.

import type { PlainKey } from '../../i18n';

export const SECTIONS = [
  'general',
  'appearance',
  'tray',
  'notifications',
  'shortcuts',
  'updates',
  'client_keys',
  'network',
  'privacy',
  'advanced',
  'diagnostics',
  'about',
] as const;
export type Section = (typeof SECTIONS)[number];

/** What only the desktop app has. */
const DESKTOP: readonly Section[] = ['tray', 'notifications', 'shortcuts', 'updates'];

export const sections = (inShell: boolean): Section[] => SECTIONS.filter((section) => inShell || !DESKTOP.includes(section));

export const titleOf = (section: Section): PlainKey => `settings.${section}`;

/** Which one is read: the last whose beginning has gone past the upper edge, or the end of the page. Pure. */
export function readNow(tops: readonly number[], edge: number, atEnd: boolean): number {
  if (atEnd) return tops.length - 1;
  const past = tops.filter((top) => top <= edge).length;
  return Math.max(0, past - 1);
}
