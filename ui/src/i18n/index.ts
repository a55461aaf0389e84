// Sentences in the person's language. The language is decided once, when a page is opened.

import en from '../../messages/en.json';
import type { Parameters } from './messages.gen';

export type Language = 'en' | 'zh';
export type Key = keyof Parameters;

type Sentence = string | Record<string, string>;
/** Keys without parameters, for tables of labels. */
export type PlainKey = { [K in Key]: Parameters[K] extends undefined ? K : never }[Key];

/** English until `ready` has brought another language. */
let sentences: Record<string, Sentence> = en;
const CHOICE = 'codeferry.language';

/** The language that was chosen here, if one was. */
export function chosen(): Language | null {
  try {
    const language = localStorage.getItem(CHOICE);
    return language === 'en' || language === 'zh' ? language : null;
  } catch {
    return null;
  }
}

/** Remembers the choice; `null` goes by the system again. The page has to be opened anew for it. */
export function choose(language: Language | null): void {
  try {
    if (language === null) localStorage.removeItem(CHOICE);
    else localStorage.setItem(CHOICE, language);
  } catch {
    // Storage is closed to us: the system decides.
  }
}

/** The first of the person's languages that we speak. */
export function preferred(languages: readonly string[]): Language {
  const spoken = languages.map((tag) => tag.toLowerCase().split('-')[0]);
  return spoken.find((tag): tag is Language => tag === 'en' || tag === 'zh') ?? 'en';
}

/** Tests have no page, and speak English wherever they run. */
const languages: readonly string[] = typeof document === 'undefined' ? ['en'] : navigator.languages;

export const language: Language = chosen() ?? preferred(languages);

/** As `lang` attributes and `Intl` want it. What we have in Chinese is in simplified characters. */
export const locale: string = language === 'zh' ? 'zh-CN' : regional();

/** Brings the sentences of the person's language. Nothing is shown before. */
export async function ready(): Promise<void> {
  if (language === 'zh') sentences = (await import('../../messages/zh.json')).default;
}

/** English as it is written where the person is: dates and numbers differ. */
function regional(): string {
  return languages.find((tag) => tag.toLowerCase().startsWith('en')) ?? 'en';
}

const plural = new Intl.PluralRules(locale);
const number = new Intl.NumberFormat(locale);

/** The sentence of that key. */
export function t<K extends Key>(
  key: K,
  ...[parameters]: Parameters[K] extends undefined ? [] : [Parameters[K]]
): string {
  return fill(sentences[key] ?? key, parameters ?? {});
}

function fill(sentence: Sentence, parameters: Record<string, string | number>): string {
  const text =
    typeof sentence === 'string' ? sentence : (sentence[plural.select(Number(parameters.count))] ?? sentence.other ?? '');
  return text.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = parameters[name];
    return typeof value === 'number' ? number.format(value) : (value ?? '');
  });
}
