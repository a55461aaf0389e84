// Which key does what. Pure.

import { SCREENS, type Screen } from '../router.svelte';

/** What somebody wants who presses a key. */
export type Wish = 'palette' | 'help' | { screen: Screen };

export interface Pressed {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
  shiftKey: boolean;
}

/** The screens with a number, in the order of the sidebar. */
export const NUMBERED: readonly Screen[] = SCREENS.filter((screen) => screen !== 'onboarding');

/** `typing`: the key belongs to a field, unless it comes with Ctrl or ⌘. */
export function wish({ key, ctrlKey, metaKey, altKey, shiftKey }: Pressed, typing: boolean): Wish | null {
  if (altKey) return null;
  if (ctrlKey || metaKey) {
    if (shiftKey || (ctrlKey && metaKey)) return null;
    if (key.toLowerCase() === 'k') return 'palette';
    const screen = /^[1-9]$/.test(key) ? NUMBERED[Number(key) - 1] : undefined;
    return screen === undefined ? null : { screen };
  }
  if (typing) return null;
  if (key === '?') return 'help';
  return key === '/' ? 'palette' : null;
}

/** How the key that goes with others is called here. */
export function modifier(platform: string): string {
  return /mac|iphone|ipad/i.test(platform) ? '⌘' : 'Ctrl';
}
