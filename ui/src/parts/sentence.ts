// What the gateway says, as it is shown: in the person's language, if the sentence is known in it.

import { said } from '../i18n/said.svelte';

/** What is said in the middle of a sentence, as one of its own. A name keeps its letters. */
export function sentence(text: string): string {
  const own = said(text);
  if (own !== null) return own;
  const [first = ''] = text.split(' ');
  // Files, models and keys are not words: settings.json, gpt-6-luna, top_k.
  return /^[a-z]+(-[a-z]+)*[’'a-z]*[,:;.]?$/.test(first) ? text.slice(0, 1).toUpperCase() + text.slice(1) : text;
}

/** The same within another sentence. There it has no full stop. */
export const phrase = (text: string): string => said(text)?.replace(/。$/, '') ?? text;
