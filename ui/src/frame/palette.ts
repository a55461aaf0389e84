// What the palette finds. Pure.

import type { IconName } from '../shared/icons';

export type Group = 'screens' | 'accounts' | 'settings' | 'requests';
export const GROUPS: readonly Group[] = ['screens', 'accounts', 'settings', 'requests'];

/** One thing that can be gone to or done. */
export interface Command {
  id: string;
  group: Group;
  icon: IconName;
  text: string;
  /** Beside the text: a key, a moment. */
  hint?: string;
  /** What it is found by as well, and does not show. */
  also?: string;
  run: () => void;
}

/** So many of a group are shown. */
const SHOWN = 8;
/** While nobody has typed anything, only the newest requests. */
const SHOWN_AT_FIRST = 4;

/** What fits what was typed: every word stands somewhere. In groups, within each the best first. */
export function found(query: string, all: readonly Command[]): Command[] {
  const words = query.toLowerCase().split(/\s+/).filter((word) => word !== '');
  const ranked = all.flatMap((command) => {
    const rank = rankOf(command, words);
    return rank === null ? [] : [{ command, rank }];
  });
  return GROUPS.flatMap((group) => {
    const here = ranked.filter(({ command }) => command.group === group);
    const best = here.sort((one, other) => other.rank - one.rank).map(({ command }) => command);
    return best.slice(0, words.length === 0 && group === 'requests' ? SHOWN_AT_FIRST : SHOWN);
  });
}

/** `null`: a word is missing. What begins with what was typed comes before what holds it. */
function rankOf({ text, also = '' }: Command, words: string[]): number | null {
  const shown = text.toLowerCase();
  const hidden = also.toLowerCase();
  let rank = 0;
  for (const word of words) {
    if (shown.startsWith(word)) rank += 3;
    else if (shown.includes(` ${word}`)) rank += 2;
    else if (shown.includes(word)) rank += 1;
    else if (!hidden.includes(word)) return null;
  }
  return rank;
}
