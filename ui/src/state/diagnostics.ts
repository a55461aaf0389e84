// What goes into a file for somebody else, and what of it does not. Pure.
// The gateway keeps secrets out of all this already; here they are looked for once more, in whatever text.

import type { LogLine } from '../api/settings';
import type { Doctor, Setting, SettingValue } from '../api/types';
import { kindOf, same } from './setting_kinds';

export interface Diagnostics {
  made_at: string;
  version: string;
  started_at: string;
  page: string;
  doctor: Doctor;
  /** Those at their defaults are not told. */
  settings: Record<string, SettingValue>;
  /** How many aliases and prices there are; their names are the person's. */
  own_entries: number;
  log: LogLine[];
}

const HIDDEN: [RegExp, string][] = [
  // Who signs in to a server, and what is asked of it.
  [/(\/\/)[^/\s@"']+@/g, '$1[hidden]@'],
  [/([?&][\w.-]+=)[^&\s"'#]+/g, '$1[hidden]'],
  [/[^\s@<>()[\]{}"',;:=/\\]+@[^\s@<>()[\]{}"',;:=/\\]+/g, '[e-mail]'],
  [/\b(bearer|basic)\s+[\w.~+/=-]+/gi, '$1 [hidden]'],
  [/\beyJ[\w-]+\.[\w-]+(\.[\w-]*)?/g, '[hidden]'],
  [/\b(sk|cf|rt|ac|at|ghp|pk)[-_][\w-]{8,}/g, '[hidden]'],
  // Long runs without a break are keys rather than words; ids are shorter.
  [/[\w+-]{40,}={0,2}/g, '[hidden]'],
  [/(\/home\/|\/Users\/|[A-Za-z]:\\+Users\\+)[^/\\\s"']+/g, '~'],
];

/** Without e-mail addresses, keys and home folders. */
export const hidden = (text: string): string => HIDDEN.reduce((left, [what, by]) => left.replace(what, by), text);

/** The same for all texts in it, names of members included. A member that is called a secret is one. */
export function clean<T>(value: T): T {
  const walk = (one: unknown): unknown => {
    if (typeof one === 'string') return hidden(one);
    if (Array.isArray(one)) return one.map(walk);
    if (typeof one !== 'object' || one === null) return one;
    return Object.fromEntries(
      Object.entries(one).map(([name, inner]) => {
        const secret = /(^|_)(key|token|secret|password|authorization|cookie|email)$/i.test(name) && typeof inner === 'string';
        return [hidden(name), secret ? '[hidden]' : walk(inner)];
      }),
    );
  };
  return walk(value) as T;
}

/** What was changed. Numbers, switches and words to choose from are told; of any other text only that there is one. */
export function told(settings: Setting[]): Pick<Diagnostics, 'settings' | 'own_entries'> {
  const known = settings.filter((setting) => setting.default !== null);
  const changed = known.filter((setting) => !same(setting.value, setting.default));
  const values = changed.map((setting): [string, SettingValue] => {
    const { kind } = kindOf(setting);
    return [setting.key, kind === 'text' || kind === 'list' ? '[changed, not told]' : setting.value];
  });
  return { settings: Object.fromEntries(values), own_entries: settings.length - known.length };
}

/** The file as it is saved. */
export const written = (diagnostics: Diagnostics): string => `${JSON.stringify(clean(diagnostics), null, 2)}\n`;
